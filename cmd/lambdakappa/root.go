package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lambdakappa/bench/supervise"
	"lambdakappa/internal/proc"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // a wrong answer, a lost event, or something that could not go on
	exitUsage  = 2
	exitVoid   = 3 // --strict: a run was void because the machine was too slow
)

// app is what all commands share.
type app struct {
	stdout io.Writer // facts as JSON lines, and what a reader asked for
	stderr io.Writer // everything else
	begun  bool      // a command has taken over: errors are no longer the command line's
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if os.Getenv(supervise.ChildEnv) != "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go endWith(stdin, cancel)
		if err := handicap(); err != nil {
			fmt.Fprintln(stderr, "lambdakappa:", err)
			return exitFailed
		}
	}
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	return a.report(command, err)
}

// handicap slows this process down when the driver asks for that.
func handicap() error {
	text := os.Getenv(supervise.HandicapEnv)
	if text == "" {
		return nil
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%s=%q: takes a share, such as 0.2", supervise.HandicapEnv, text)
	}
	return proc.Handicap(share)
}

// endWith calls cancel when stdin ends: whoever started this process has closed it, or is dead.
func endWith(stdin io.Reader, cancel context.CancelFunc) {
	_, _ = io.Copy(io.Discard, stdin)
	cancel()
}

// report tells the user what went wrong and returns the exit code.
func (a *app) report(command *cobra.Command, err error) int {
	var usage *usageError
	var code *codeError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage) || !a.begun:
		fmt.Fprintf(a.stderr, "lambdakappa: %v\nSee '%s --help'.\n", err, command.CommandPath())
		return exitUsage
	case errors.As(err, &code):
		fmt.Fprintf(a.stderr, "lambdakappa: %v\n", err)
		return code.code
	default:
		fmt.Fprintf(a.stderr, "lambdakappa: %v\n", err)
		return exitFailed
	}
}

// A usageError is a command line that cannot work.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// A codeError ends the program with a code of its own.
type codeError struct {
	code int
	text string
}

func (e *codeError) Error() string { return e.text }

func (a *app) root() *cobra.Command {
	root := a.group("lambdakappa",
		"Lambda and Kappa: two ways to compute one answer, side by side",
		a.bench(), a.demo(), a.doctor(), a.redraw(), a.compare(), a.decide(), a.workshop(), a.datagen(), a.broker(), a.registry(), a.kafka(), a.redrive(), a.lambda(), a.kappa(), a.fleetReport())
	root.Long = `Lambda and Kappa are two ways to compute the same answers from the same log of events. This program
runs both on the same events, holds every answer against a truth that neither of them computed, and
reports what each way costs.

Results and facts go to stdout, everything else to stderr. Exit codes: 0 it worked; 1 it failed or an
answer was wrong; 2 the command line cannot work; 3 with bench --strict, a run was void.`
	root.Example = `  # both architectures, the short scenarios, a report under results/
  lambdakappa bench

  # all scenarios, in a quarter of an hour
  lambdakappa bench --all

  # one question
  lambdakappa bench --list
  lambdakappa bench --scenario settled

  # a live page of both, with buttons
  lambdakappa demo

  # by hand: a log, events, and one architecture
  lambdakappa broker --dir /tmp/log --port 9092 --registry-port 8081
  lambdakappa datagen --rate 1000 --cars 1000 --duration 5m --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081
  lambdakappa kappa process --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081
  lambdakappa kappa serve --brokers 127.0.0.1:9092 --schema-registry http://127.0.0.1:8081 --listen 127.0.0.1:8080`
	root.Version = revision()
	root.SetFlagErrorFunc(flagError)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentPreRun = func(*cobra.Command, []string) { a.begun = true }
	return root
}

// group is a command that only holds others.
func (a *app) group(name, short string, children ...*cobra.Command) *cobra.Command {
	var names []string
	for _, child := range children {
		names = append(names, child.Name())
	}
	c := &cobra.Command{
		Use: name, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: choose one of %s", args[0], strings.Join(names, ", "))
			}
			return usagef("choose a command: one of %s", strings.Join(names, ", "))
		},
	}
	c.AddCommand(children...)
	return c
}

// revision names the source that this program was built from.
func revision() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision := "unknown"
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			revision += "+dirty"
		}
	}
	return revision
}
