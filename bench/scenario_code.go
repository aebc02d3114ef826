package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"lambdakappa/bench/codesize"
	"lambdakappa/bench/result"
)

const codeName = "code"

func codeScenario() *Scenario {
	return &Scenario{
		Name:     codeName,
		Sentence: "size and complexity of both sides and of what they share, from the syntax tree",
		run:      runCode,
		seconds:  func(Options) float64 { return 1 },
	}
}

func runCode(_ context.Context, d *driver) error {
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
		return column != armLambda && column != armKappa && column != "shared"
	})
	return d.save()
}
