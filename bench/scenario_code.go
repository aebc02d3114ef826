package bench

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lambdakappa/bench/codesize"
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
	return d.save()
}
