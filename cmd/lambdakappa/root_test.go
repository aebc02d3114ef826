package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"lambdakappa/bench"
	"lambdakappa/bench/result"
)

// The transcripts of testdata are command lines and what the program says to them. After a change
// that is meant: go test ./cmd/lambdakappa -run Transcripts -rewrite
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			got := do(t, strings.Fields(d.Input)...)
			return fmt.Sprintf("%s%sexit %d\n", got.stdout, got.stderr, got.code)
		})
	})
}

// Ensure that no command is without help, examples and a transcript of both.
func TestEveryCommandIsDocumented(t *testing.T) {
	transcript, err := os.ReadFile("testdata/help")
	require.NoError(t, err)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.NotEmpty(t, c.Example, c.CommandPath())
		line := strings.TrimSpace(strings.TrimPrefix(c.CommandPath()+" --help", "lambdakappa"))
		require.Contains(t, string(transcript), "\n"+line+"\n----\n")
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(new(app).root())
}

func TestListNamesEveryScenario(t *testing.T) {
	got := do(t, "bench", "--list")
	require.Equal(t, exitOK, got.code)
	for _, s := range bench.Scenarios() {
		require.Regexp(t, "(?m)^"+s.Name+" +.* "+regexp.QuoteMeta(s.Sentence)+"$", got.stdout)
	}
}

func TestTheExitCodeSaysWhatWasFound(t *testing.T) {
	f := func(strict bool, want int, runs ...result.Run) {
		t.Helper()
		a := &app{stderr: t.Output(), begun: true}
		require.Equal(t, want, a.report(&cobra.Command{}, verdict(&result.Summary{Runs: runs}, strict)))
	}
	right, wrong := result.Run{OK: true}, result.Run{}
	void := result.Run{OK: true, Void: "the generator was late"}
	f(false, 0)
	f(true, 0, right)
	f(false, 0, right, void)
	f(true, 3, right, void)
	f(true, 1, right, void, wrong)
	f(false, 1, wrong)

	says := func(want string, run result.Run) {
		t.Helper()
		run.Scenario, run.Arm = "freshness", "lambda"
		require.EqualError(t, verdict(&result.Summary{Runs: []result.Run{right, run}}, false), want+": see the report")
	}
	on := result.Check{Name: "windows", Answers: true, OnPurpose: true}
	says("scenario freshness, lambda: at the end: an answer was wrong",
		result.Run{Checks: []result.Check{on, {Name: "at the end", Answers: true}}})
	says("scenario freshness, lambda: batch cycles", result.Run{Checks: []result.Check{{Name: "batch cycles"}}})
	says("scenario freshness, lambda: not settled", result.Run{Error: "not settled"})
}
