package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"lambdakappa/bench/codesize"
	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// countCode counts the source of both sides and keeps what it has counted; it starts nothing.
type countCode struct{}

func (*countCode) check(*Scenario) error              { return nil }
func (*countCode) seconds(Options, *Scenario) float64 { return 1 }

func (*countCode) run(_ context.Context, d *driver, _ *Scenario) error {
	root, err := codesize.Root(".")
	if errors.Is(err, codesize.ErrNoSource) && len(d.opt.Scenarios) == 0 {
		return nil // one of all scenarios, by a program that was carried away from its source
	}
	if err != nil {
		return fmt.Errorf("find the source (run it inside the project): %w", err)
	}
	if d.summary.CodeSize, err = codesize.Count(os.DirFS(root)); err != nil {
		return fmt.Errorf("count code: %w", err)
	}
	// The benchmark itself and the wiring belong to no side.
	maps.DeleteFunc(d.summary.CodeSize, func(column string, _ result.CodeSize) bool {
		return !slices.Contains([]string{armLambda, scenarios.LambdaShared, armKappa, "kappa-archived", "shared"}, column)
	})
	if err := d.keepCode(os.DirFS(root)); err != nil {
		return err
	}
	return d.save()
}

// keepCode leaves the files of the two sides that were counted, as they are: a report shows them beside their figures.
func (d *driver) keepCode(source fs.FS) error {
	kept := map[string]bool{}
	for column, size := range d.summary.CodeSize {
		if column == "shared" {
			continue
		}
		for _, f := range size.PerFile {
			kept[f.File] = true
		}
	}
	for _, file := range slices.Sorted(maps.Keys(kept)) {
		raw, err := fs.ReadFile(source, file)
		if err != nil {
			return fmt.Errorf("keep code: %w", err)
		}
		if err := d.folder.write(report.CodeFolder+"/"+file, raw); err != nil {
			return err
		}
	}
	return nil
}
