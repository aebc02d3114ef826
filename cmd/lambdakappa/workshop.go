package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambdakappa/bench/workshop"
)

// workshop is the command "workshop" with its children.
func (a *app) workshop() *cobra.Command {
	c := a.group("workshop", "Exercises about both architectures, graded by the oracle",
		a.workshopList(), a.workshopStart(), a.workshopCheck(), a.workshopSolve(), a.workshopReset())
	c.Long = `Exercises about both architectures, graded by the oracle. The pages are in docs/workshop. In an observation you write
down what a run will show, run it, and see which statements hold; in a code task the source of one side is made
wrong, and you mend it.`
	c.Example = `  lambdakappa workshop list
  lambdakappa workshop start 2
  lambdakappa workshop check 2`
	return c
}

func (a *app) workshopList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the exercises",
		Long: `List the exercises: number, minutes, whether it is part of the 90-minute path, what is done, slides, title.
All of them are the half-day path.`,
		Example: `  lambdakappa workshop list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := workshop.Exercises()
			if err != nil {
				return err
			}
			for _, e := range all {
				path := "half-day"
				if e.Short {
					path = "90-minute"
				}
				fmt.Fprintf(a.stdout, "%2d  %2d min  %-9s  %-20s  %s (slides %s)\n", e.Number, e.Minutes, path, e.Kind, e.Title, slides(e))
			}
			return nil
		},
	}
}

func slides(e *workshop.Exercise) string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(e.Slides), "[]")), ", ")
}

// exerciseArg takes the number of an exercise as the only argument.
func exerciseArg(into **workshop.Exercise) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("workshop %s takes the number of an exercise, see 'workshop list'", c.Name())
		}
		var err error
		if *into, err = workshop.Named(args[0]); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

func (a *app) workshopStart() *cobra.Command {
	var e *workshop.Exercise
	return &cobra.Command{
		Use:   "start N",
		Short: "Begin an exercise",
		Long: `Begin an exercise. For an observation: print question and command, and begin workshop/NN-prediction.md in the current
folder, where you write down what you expect; what an earlier try has left there is kept under another name, and
'workshop check' takes no results from before.

For a code task: bring the source of one side into the state in which the task begins. It refuses when a file that it
would change is not as it knows it, and keeps the whole side in .workshop, so that 'workshop reset' brings it back
byte by byte. It needs no git.`,
		Example: `  lambdakappa workshop start 2
  lambdakappa workshop start 11`,
		Args: exerciseArg(&e),
		RunE: func(*cobra.Command, []string) error {
			if e.Kind == workshop.Observation {
				return a.startObservation(e)
			}
			return a.startTask(e)
		},
	}
}

func (a *app) startObservation(e *workshop.Exercise) error {
	kept, err := workshop.BeginPrediction(".", e, time.Now())
	if err != nil {
		return err
	}
	a.say("%d · %s (slides %s, %d minutes)\n\n%s\n", e.Number, e.Title, slides(e), e.Minutes, e.Question)
	if kept != "" {
		a.say("Your earlier prediction is now %s.", kept)
	}
	a.say("First write your prediction into %s:\n\n%s\n", workshop.PredictionFile(".", e), e.Prediction)
	a.say("Then run\n\n    %s%s\n\nand see what holds:\n\n    bin/lambdakappa workshop check %d\n",
		commandLine(e), a.gentleFlag(e), e.Number)
	a.say("The page: docs/workshop/%s", e.Page)
	return nil
}

func commandLine(e *workshop.Exercise) string {
	return "bin/lambdakappa " + strings.Join(e.Command, " ")
}

// gentleFlag is the --rate that an exercise takes on a machine of which doctor has found that its own would be too much,
// with the blank before it; else "".
func (a *app) gentleFlag(e *workshop.Exercise) string {
	half, known := a.half()
	if !known {
		return ""
	}
	dir, err := workshop.DirFor(e)
	if err != nil {
		return "" // who runs the command without the source hears so from it
	}
	rate, err := e.GentleRate(half, dir)
	if err != nil || rate == 0 {
		return ""
	}
	a.sayHalf(rate)
	return fmt.Sprintf(" --rate %.0f", rate)
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }

func (a *app) startTask(e *workshop.Exercise) error {
	checkout, err := workshop.OpenCheckout(".")
	if err != nil {
		return err
	}
	changed, err := checkout.Start(e)
	if err != nil {
		return err
	}
	a.say("%d · %s (slides %s, %d minutes)\n\n%s\n", e.Number, e.Title, slides(e), e.Minutes, e.Question)
	a.say("The source is now in the state in which the task begins; changed: %s", strings.Join(changed, ", "))
	a.say("Mend it, and have it graded; the check builds what you have:\n\n    bin/lambdakappa workshop check %d\n", e.Number)
	a.say("The solution: bin/lambdakappa workshop solve %d\nThe way back: bin/lambdakappa workshop reset\nThe page: docs/workshop/%s", e.Number, e.Page)
	return nil
}

func (a *app) workshopCheck() *cobra.Command {
	var e *workshop.Exercise
	out, rate, again := "results", 0.0, false
	c := &cobra.Command{
		Use:   "check N",
		Short: "Say which expected observations hold, or whether a code task is solved",
		Long: `Grade an exercise by what the oracle says.

An observation: take the newest results of its scenario since the exercise was begun, or run its command when there are
none, and say which of the statements on its page hold, with the figures of the run. A code task: build the source as it
is, run the task's command with the program that comes out, and print the first rows that are wrong.

Exit codes: 0 all of it holds; 1 some of it does not.`,
		Example: `  lambdakappa workshop check 2

  # run it, whatever results there are, on a slow machine
  lambdakappa workshop check 1 --again --rate 500`,
		Args: exerciseArg(&e),
		RunE: func(c *cobra.Command, _ []string) error {
			if rate < 0 {
				return usagef("--rate %v: must not be negative", rate)
			}
			bench := workshop.Bench{Dir: "."}
			var err error
			if bench.Out, err = filepath.Abs(out); err != nil {
				return err
			}
			if rate != 0 {
				bench.More = []string{"--rate", fmt.Sprint(rate)}
			} else {
				bench.More = strings.Fields(a.gentleFlag(e))
			}
			grade, err := a.grade(c.Context(), e, bench, again)
			if err != nil {
				return err
			}
			return a.verdictOn(e, grade)
		},
	}
	c.Flags().StringVar(&out, "out", out, "`folder` with results")
	c.Flags().Float64Var(&rate, "rate", 0, "events per second, when it has to be run; by default the exercise's own, or half of what doctor has found where that is less")
	c.Flags().BoolVar(&again, "again", false, "run it, even if there are results")
	return c
}

func (a *app) grade(ctx context.Context, e *workshop.Exercise, bench workshop.Bench, again bool) (workshop.Grade, error) {
	if e.Kind == workshop.Observation {
		return a.gradeObservation(ctx, e, bench, again)
	}
	checkout, err := workshop.OpenCheckout(".")
	if err != nil {
		return workshop.Grade{}, err
	}
	if begun, err := checkout.Begun(); err != nil {
		return workshop.Grade{}, err
	} else if begun != 0 && begun != e.Number {
		a.note("task %d is begun, not %d", begun, e.Number)
	}
	a.note("building, then running %s", commandLine(e))
	return checkout.CheckTask(ctx, e, bench)
}

// note tells on stderr what takes a while, or what looks like an oversight.
func (a *app) note(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }

func (a *app) gradeObservation(
	ctx context.Context, e *workshop.Exercise, bench workshop.Bench, again bool,
) (workshop.Grade, error) {
	begun, written := workshop.BegunAt(".", e)
	if begun != "" && !written {
		a.note("there is no prediction in %s yet", workshop.PredictionFile(".", e))
	}
	if !again {
		left, err := bench.NewestOf(e, begun)
		if err != nil {
			return workshop.Grade{}, err
		}
		if left != nil {
			return workshop.Observed(e, left), nil
		}
	}
	a.note("running %s", commandLine(e))
	var err error
	if bench.Binary, err = os.Executable(); err != nil {
		return workshop.Grade{}, fmt.Errorf("find this program: %w", err)
	}
	if bench.Dir, err = workshop.DirFor(e); err != nil {
		return workshop.Grade{}, err
	}
	left, err := bench.Run(ctx, e.Command)
	if err != nil {
		return workshop.Grade{}, err
	}
	return workshop.Observed(e, left), nil
}

// verdictOn prints a grade and turns it into the exit code.
func (a *app) verdictOn(e *workshop.Exercise, g workshop.Grade) error {
	a.say("%d · %s", e.Number, e.Title)
	for _, line := range g.Lines {
		a.say("%s", line)
	}
	if g.Left != "" {
		a.say("run: %s", filepath.Join(g.Left, "report.html"))
	}
	if !g.Green {
		return &codeError{exitFailed, fmt.Sprintf("exercise %d is red", e.Number)}
	}
	a.say("green")
	return nil
}

func (a *app) workshopSolve() *cobra.Command {
	var e *workshop.Exercise
	return &cobra.Command{
		Use:   "solve N",
		Short: "Put the solution in place, or explain what was to be seen",
		Long: `Print what happened and why. For a code task, put the solution in place as well: the source as it was before the task
began. An attempt is kept in .workshop/attempts.`,
		Example: `  lambdakappa workshop solve 2
  lambdakappa workshop solve 11`,
		Args: exerciseArg(&e),
		RunE: func(*cobra.Command, []string) error {
			if e.Kind != workshop.Observation {
				if err := a.solveTask(e); err != nil {
					return err
				}
			}
			a.say("%d · %s\n\n%s\n\n%s", e.Number, e.Title, e.Why, e.Solution)
			return nil
		},
	}
}

func (a *app) solveTask(e *workshop.Exercise) error {
	checkout, err := workshop.OpenCheckout(".")
	if err != nil {
		return err
	}
	begun, err := checkout.Begun()
	if err != nil {
		return err
	}
	if begun != e.Number {
		return fmt.Errorf("solve: task %d was not begun: 'workshop start %d' begins it", e.Number, e.Number)
	}
	attempt, err := checkout.Solve()
	if err != nil {
		return err
	}
	a.sayAttempt(attempt)
	a.say("The solution of task %d is in place.", e.Number)
	return nil
}

func (a *app) sayAttempt(attempt string) {
	if attempt != "" {
		a.say("Your attempt is kept in %s", attempt)
	}
}

func (a *app) workshopReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Bring the source back as it was before a code task",
		Long: `Bring every file of the side that a code task is about back as it was when the task began, byte by byte. An attempt
is kept in .workshop/attempts; predictions and results stay.`,
		Example: `  lambdakappa workshop reset`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			checkout, err := workshop.OpenCheckout(".")
			if err != nil {
				return err
			}
			foreign, err := checkout.Foreign()
			if err != nil {
				return err
			}
			attempt, err := checkout.Reset()
			if err != nil {
				return err
			}
			a.sayAttempt(attempt)
			if len(foreign) > 0 {
				a.note("left where they are, since they were not there when the task began: %s", strings.Join(foreign, ", "))
			}
			a.say("The source is as it was.")
			return nil
		},
	}
}
