package workshop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"lambdakappa/bench/result"
)

// A Grade is what a check says.
type Grade struct {
	Green bool
	Lines []string // what holds, and what does not
	Left  string   // the results folder that it is about; "" when there is none
}

func (g *Grade) say(holds bool, format string, args ...any) {
	mark := "  yes  "
	if !holds {
		g.Green, mark = false, "  NO   "
	}
	g.Lines = append(g.Lines, mark+fmt.Sprintf(format, args...))
}

// Observed grades an observation: which of the statements of its page hold in this run.
func Observed(e *Exercise, l *Left) Grade {
	g := Grade{Green: true, Left: l.Dir}
	for _, f := range Held(e.Expect, l.only(e.scenario())) {
		g.say(f.Holds, "%s", f.Says)
		g.Lines = append(g.Lines, "       "+f.Seen)
	}
	return g
}

// Graded grades the run of a code task: everything in it has to be exact.
func Graded(e *Exercise, l *Left) Grade {
	g := Grade{Green: true, Left: l.Dir}
	s := l.only(e.scenario())
	if len(s.Runs) == 0 {
		g.say(false, "nothing was run")
	}
	for i := range s.Runs {
		g.addRun(&s.Runs[i])
	}
	return g
}

// addRun says what the oracle has found in one run.
func (g *Grade) addRun(r *result.Run) {
	arm := strings.TrimSpace(r.Arm + " " + r.Phase)
	if r.Void != "" {
		g.say(false, "%s: the machine was too slow for a run that counts (%s): check again", arm, r.Void)
		return
	}
	c := r.Correctness
	exact := c.Windows.Exact + c.Alerts.Exact + c.Trips.Exact
	g.say(r.OK, "%s: %d of %d rows exact in the end, %d of %d comparisons on the way equal",
		arm, exact, c.Windows.Expected+c.Alerts.Expected+c.Trips.Expected, equal(r.Checks), len(r.Checks))
	for _, check := range r.Checks {
		if check.Failed() {
			g.Lines = append(g.Lines, "       "+shortened(check.Name+": "+differing(check.Detail)))
		}
	}
	if r.Error != "" && !r.OK && equal(r.Checks) == len(r.Checks) {
		g.Lines = append(g.Lines, "       "+shortened(r.Error))
	}
}

func equal(checks []result.Check) int {
	n := 0
	for _, c := range checks {
		if !c.Failed() {
			n++
		}
	}
	return n
}

// builtFolder is where a checkout keeps the program that a check has built.
const builtFolder = "bin"

// A CompileError is what the compiler says about an attempt.
type CompileError struct{ Says string }

func (e *CompileError) Error() string { return "it does not compile:\n" + e.Says }

// Build builds the program from the checkout as it is, and returns where it is.
func (c *Checkout) Build(ctx context.Context) (string, error) {
	binary := c.kept(builtFolder + "/lambdakappa")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	// The revision is of no interest, and asking git for it fails where the tree is somebody else's.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./cmd/lambdakappa")
	cmd.Dir = c.root
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("build: there is no go on the PATH: a code task takes the Go that go.mod names")
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &exit):
		return "", &CompileError{strings.TrimSpace(string(said))}
	case err != nil:
		return "", fmt.Errorf("build: %w", err)
	}
	return binary, nil
}

// CheckTask builds the checkout, runs the task's command with the program that comes out, and grades it.
func (c *Checkout) CheckTask(ctx context.Context, e *Exercise, b Bench) (Grade, error) {
	binary, err := c.Build(ctx)
	var compile *CompileError
	if errors.As(err, &compile) {
		g := Grade{Green: true}
		g.say(false, "%s", compile.Error())
		return g, nil
	}
	if err != nil {
		return Grade{}, err
	}
	b.Binary, b.Dir = binary, c.root
	left, err := b.Run(ctx, e.Command)
	if err != nil {
		return Grade{}, err
	}
	return Graded(e, left), nil
}
