package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"lambdakappa/bench/codesize"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

// countCode counts the source of both sides; it starts nothing.
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
	return d.save()
}
