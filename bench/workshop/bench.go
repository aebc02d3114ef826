package workshop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// A Bench runs the benchmark as a process, and finds what it has left.
type Bench struct {
	Binary string   // the program
	Dir    string   // where it is run
	Out    string   // the folder of results
	More   []string // arguments for every run: --rate
}

// A Left is the results folder of a run.
type Left struct {
	Dir string
	*result.Summary
}

// endLimit is how long a run that was interrupted may take to end its components.
const endLimit = 30 * time.Second

// Run runs the command of an exercise. A run with wrong answers is no error.
func (b *Bench) Run(ctx context.Context, command []string) (*Left, error) {
	args := append(slices.Clone(command), "--out", b.Out, "--quiet")
	args = append(args, b.More...)
	c := exec.CommandContext(ctx, b.Binary, args...)
	c.Dir = b.Dir
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it ends its components
	c.WaitDelay = endLimit
	if runtime.GOOS == "windows" {
		c.Cancel = nil // there is no such signal: Ctrl-C reaches it as it has reached this process
	}
	var stdout bytes.Buffer
	var stderr lastLines
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	said := strings.TrimSpace(stdout.String())
	if said == "" {
		return nil, fmt.Errorf("run %s %s: %w: %s", filepath.Base(b.Binary), strings.Join(args, " "), err, stderr.String())
	}
	lines := strings.Split(said, "\n")
	dir := filepath.Dir(lines[len(lines)-1])
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(b.Dir, dir)
	}
	return load(dir)
}

func load(dir string) (*Left, error) {
	s, err := report.Load(dir)
	if err != nil {
		return nil, err
	}
	return &Left{dir, s}, nil
}

// Newest returns the newest results of a scenario in the folder of results that came to their end, have all arms that
// are named, and were begun at or after a time as their names say it (20061102T150405Z, or ""); nil when there are none.
func (b *Bench) Newest(scenario string, arms []string, since string) (*Left, error) {
	out := b.Out
	if !filepath.IsAbs(out) {
		out = filepath.Join(b.Dir, out)
	}
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find results: %w", err)
	}
	slices.Reverse(entries) // the names begin with the time
	for _, entry := range entries {
		if !entry.IsDir() || !ofARun.MatchString(entry.Name()) || entry.Name() < since {
			continue
		}
		left, err := load(filepath.Join(out, entry.Name()))
		if err != nil {
			continue // it has no summary, or one of another program
		}
		if !left.Interrupted && left.has(scenario, arms) {
			return left, nil
		}
	}
	return nil, nil
}

// ofARun is how the name of a results folder begins: the committed reference run is none of anybody's.
var ofARun = regexp.MustCompile(`^\d{8}T\d{6}Z-`)

// has reports whether a run has a scenario with all of some arms.
func (l *Left) has(scenario string, arms []string) bool {
	if scenario == "code" {
		return len(l.CodeSize) > 0
	}
	found := map[string]bool{}
	for i := range l.Runs {
		if l.Runs[i].Scenario == scenario {
			found[l.Runs[i].Arm] = true
		}
	}
	return !slices.ContainsFunc(arms, func(arm string) bool { return !found[arm] })
}

// only is the run without the other scenarios that it had.
func (l *Left) only(scenario string) *result.Summary {
	s := *l.Summary
	s.Runs = slices.DeleteFunc(slices.Clone(s.Runs), func(r result.Run) bool { return r.Scenario != scenario })
	return &s
}

// scenario is the name of the one that the exercise runs.
func (e *Exercise) scenario() string {
	at := slices.Index(e.Command, "--scenario")
	if at < 0 || at+1 == len(e.Command) {
		return ""
	}
	name := e.Command[at+1]
	if isFile(name) {
		name = strings.TrimSuffix(filepath.Base(name), ".yaml")
	}
	return name
}

// arms are those that something is expected of.
func (e *Exercise) arms() []string {
	var all []string
	for _, x := range e.Expect {
		for _, arm := range []string{x.Of, x.To} {
			if arm != "" && !slices.Contains(all, arm) {
				all = append(all, arm)
			}
		}
	}
	return all
}

// lastLines keeps the end of what a process says, for an error.
type lastLines struct{ text []byte }

const lastBytes = 2000

func (l *lastLines) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-lastBytes):]
	return len(p), nil
}

func (l *lastLines) String() string { return strings.TrimSpace(string(l.text)) }

// NewestOf is Newest for an exercise.
func (b *Bench) NewestOf(e *Exercise, since string) (*Left, error) {
	return b.Newest(e.scenario(), e.arms(), since)
}

// DirFor is the folder in which the command of an observation has to be run: that of the source where it names a file of
// it, or counts it; else any.
func DirFor(e *Exercise) (string, error) {
	if name := e.scenario(); name != "code" && !slices.ContainsFunc(e.Command, isFile) {
		return ".", nil
	}
	c, err := OpenCheckout(".")
	if err != nil {
		return "", fmt.Errorf("exercise %d needs the source: %w", e.Number, err)
	}
	return c.root, nil
}
