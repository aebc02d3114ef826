package workshop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/scenarios"
	pages "lambdakappa/docs/workshop"
)

// root is the checkout that the tests are in.
const root = "../.."

// Ensure that every page can be read, and that the exercises make the two paths.
func TestPages(t *testing.T) {
	all, err := Exercises()
	require.NoError(t, err)
	count := map[Kind]int{}
	short := map[bool]int{} // by whether it is a code task
	minutes := 0
	for _, e := range all {
		count[e.Kind]++
		if e.Short {
			short[e.Kind != Observation]++
			minutes += e.Minutes
		}
		for section, text := range map[string]string{
			"Question": e.Question, "Prediction": e.Prediction, "What happened, and why": e.Why, "Solution": e.Solution,
		} {
			require.NotEmpty(t, text, "%s: %s", e.Page, section)
			require.NotRegexp(t, "<!--|<details|<summary", text, "%s: %s: marks are printed", e.Page, section)
		}
	}
	require.Equal(t, map[bool]int{false: 6, true: 1}, short)
	require.Less(t, minutes, 90-15, "there is time for a beginning and an end")
	require.GreaterOrEqual(t, count[Observation], 8)
	require.GreaterOrEqual(t, count[TaskInLambda], 2)
	require.GreaterOrEqual(t, count[TaskInKappa], 2)
}

// Ensure that what stands on a page to look at later is folded.
func TestSolutionsAreFolded(t *testing.T) {
	all, err := Exercises()
	require.NoError(t, err)
	for _, e := range all {
		text, err := pages.Files.ReadFile(e.Page)
		require.NoError(t, err)
		sections, err := cutSections("\n" + string(text))
		require.NoError(t, err)
		for _, heading := range []string{"What happened, and why", "Solution"} {
			body := strings.TrimSpace(sections[heading])
			require.True(t, strings.HasPrefix(body, "<details>") && strings.HasSuffix(body, "</details>"), "%s: %s", e.Page, heading)
		}
	}
}

// Ensure that every command runs a scenario that there is, and that every rule is about arms that it has.
func TestCommandsAndRules(t *testing.T) {
	all, err := Exercises()
	require.NoError(t, err)
	for _, e := range all {
		require.Equal(t, "bench", e.Command[0], e.Page)
		s := scenarioOf(t, e)
		for _, arm := range e.arms() {
			_, ok := s.ArmNamed(arm)
			require.True(t, ok || s.Procedure == "code", "%s: scenario %s has no arm %s", e.Page, s.Name, arm)
			require.True(t, runsArm(e, arm), "%s: its command does not run arm %s", e.Page, arm)
		}
	}
}

func scenarioOf(t *testing.T, e *Exercise) *scenarios.Scenario {
	s, err := e.load(root)
	require.NoError(t, err)
	return s
}

// Ensure that a weak machine is asked for its share, whatever the exercise would send by the clock, that what is not by the
// clock of the wall stays as it is, and that a strong machine does what the page says.
func TestGentleRate(t *testing.T) {
	f := func(number string, share, want float64) {
		t.Helper()
		e, err := Named(number)
		require.NoError(t, err)
		got, err := e.GentleRate(share, root)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	f("1", 666, 666)   // a file of the project, 2,000 a second
	f("1", 2000, 0)    // just right
	f("5", 2000, 2000) // a scenario of the program, 5,000 a second
	f("5", 0.5, 1)
	f("2", 150, 0) // 200 a second of event time, 24 times as fast
	f("10", 1, 0)  // it sends nothing
	e, err := Named("1")
	require.NoError(t, err)
	_, err = e.GentleRate(666, t.TempDir())
	require.ErrorContains(t, err, "laptop-freshness.yaml")
}

// runsArm reports whether a command runs an arm: all of them, where it names none.
func runsArm(e *Exercise, arm string) bool {
	at := slices.Index(e.Command, "--arm")
	return at < 0 || slices.Contains(strings.Split(e.Command[at+1], ","), arm)
}

// Ensure that the pages for a reader of the folder tell of every exercise what its own page says.
func TestEveryExerciseIsListed(t *testing.T) {
	all, err := Exercises()
	require.NoError(t, err)
	readme, err := pages.Files.ReadFile("README.md")
	require.NoError(t, err)
	guide, err := pages.Files.ReadFile("facilitator.md")
	require.NoError(t, err)
	for _, e := range all {
		row := fmt.Sprintf("| %d | [%s](%s) |", e.Number, e.Title, e.Page)
		require.Contains(t, string(readme), row)
		at := strings.Index(string(readme), row)
		line, _, _ := strings.Cut(string(readme)[at:], "\n")
		require.Contains(t, line, fmt.Sprintf("| %d min |", e.Minutes), e.Page)
		require.Contains(t, string(guide), fmt.Sprintf("\n| %d |", e.Number), "its rehearsed time")
	}
}

// Ensure that a page that is not one is an error that says what it takes.
func TestBadPages(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(root, "docs/workshop/08-order.md"))
	require.NoError(t, err)
	text := strings.Replace(string(good), "# 8 ·", "# 1 ·", 1)
	f := func(from, to, want string) {
		t.Helper()
		require.Contains(t, text, from)
		_, err := readPages(fstest.MapFS{"01-order.md": {Data: []byte(strings.Replace(text, from, to, 1))}})
		require.ErrorContains(t, err, want)
	}
	_, err = readPages(fstest.MapFS{"01-order.md": {Data: []byte(text)}, "notes.md": {Data: []byte("# Notes")}})
	require.NoError(t, err)
	f("# 1 ·", "# One ·", "takes '# NUMBER · TITLE'")
	f("# 1 ·", "# 2 ·", "its title has number 2")
	f("8 minutes", "eight minutes", "takes 'Slides")
	f("observation", "experiment", `"experiment" is none of`)
	f("## Prediction", "## Guess", "its headings are")
	f("    bin/lambdakappa bench", "    lambdakappa bench", "has no line")
	f("expect: below, than: 0}", "expect: less, than: 0}", `expect "less": is none of`)
	f("{figure: rows", "{figures: rows", "unknown field")
	f("- A replay of Kappa", "A replay of Kappa", "1 of 4 rules stand at the end of no bullet")
	f("observation", "code task in kappa/", "a code task takes a comment 'task: NAME'")
	_, err = readPages(fstest.MapFS{"02-order.md": {Data: []byte(strings.Replace(text, "# 1 ·", "# 2 ·", 1))}})
	require.ErrorContains(t, err, "number 2 where 1 is next")
}

// Ensure that a page from a checkout on Windows says the same.
func TestPagesWithLineEndsOfWindows(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/workshop/08-order.md"))
	require.NoError(t, err)
	lf, err := parsePage("08-order.md", string(text))
	require.NoError(t, err)
	crlf, err := parsePage("08-order.md", strings.ReplaceAll(string(text), "\n", "\r\n"))
	require.NoError(t, err)
	require.Equal(t, lf, crlf)
}

func TestNamed(t *testing.T) {
	e, err := Named("2")
	require.NoError(t, err)
	require.Equal(t, 2, e.Number)
	for _, number := range []string{"0", "99", "two", "-1", ""} {
		_, err := Named(number)
		require.ErrorContains(t, err, "takes a number from 1 to", number)
	}
}
