package workshop

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	pages "lambdakappa/docs/workshop"
)

var rewrite = flag.Bool("rewrite", false, "write the hashes of the files that code tasks change")

// tasks are the exercises that change the source.
func tasks(t *testing.T) []*Exercise {
	all, err := Exercises()
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(e *Exercise) bool { return e.Kind == Observation })
}

// Ensure that every task can be begun in today's source, and that what it begins with is formatted.
func TestEditsFitTheSource(t *testing.T) {
	for _, e := range tasks(t) {
		edits, err := editsOf(e)
		require.NoError(t, err)
		for _, file := range files(edits) {
			require.Equal(t, e.Side(), filepath.ToSlash(filepath.Dir(file)), "%s: outside of its side", e.Page)
			source, err := os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
			text, err := begin(source, file, edits)
			require.NoError(t, err, "the source has changed under task %d: mend docs/workshop/tasks/%s.edits, and its page", e.Number, e.Task)
			formatted, err := format.Source(text)
			require.NoError(t, err, "%s: %s", e.Page, file)
			require.True(t, bytes.Equal(formatted, text), "%s: %s is not formatted when the task begins", e.Page, file)
		}
	}
}

// Ensure that the workshop knows the files that it changes. After a change of one of them, when the test above passes:
// go test ./bench/workshop -run Hashes -args -rewrite
func TestHashesAreThoseOfTheSource(t *testing.T) {
	now := map[string]string{}
	for _, e := range tasks(t) {
		edits, err := editsOf(e)
		require.NoError(t, err)
		for _, file := range files(edits) {
			source, err := os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
			now[file] = hashOf(source)
		}
	}
	if *rewrite {
		var text strings.Builder
		for _, file := range slices.Sorted(maps.Keys(now)) {
			fmt.Fprintf(&text, "%s  %s\n", now[file], file)
		}
		require.NoError(t, os.WriteFile(filepath.Join(root, "docs/workshop", sumsFile), []byte(text.String()), 0o644))
		return
	}
	known, err := knownSums(pages.Files)
	require.NoError(t, err)
	require.Equal(t, now, known, "a file that a code task changes is another one now: "+
		"go test ./bench/workshop -run Hashes -args -rewrite")
}

func TestParseEdits(t *testing.T) {
	edits, err := parseEdits("A remark.\n\n=== a/b.go\n<<<\n\tx := 1\n---\n>>>\n<<<\n\ty\n---\n\tz\n\tz\n>>>\n=== a/c.go\n<<<\nq\n---\n>>>\n")
	require.NoError(t, err)
	require.Equal(t, []edit{{"a/b.go", "\tx := 1\n", ""}, {"a/b.go", "\ty\n", "\tz\n\tz\n"}, {"a/c.go", "q\n", ""}}, edits)
	require.Equal(t, []string{"a/b.go", "a/c.go"}, files(edits))
	for text, want := range map[string]string{
		"":                             "does not end, or there is none",
		"=== a.go\n<<<\nx\n---\ny\n":   "does not end",
		"<<<\nx\n---\ny\n>>>\n":        "line 1: an edit of no file",
		"=== a.go\n<<<\n---\ny\n>>>\n": "takes nothing out",
	} {
		_, err := parseEdits(text)
		require.ErrorContains(t, err, want, text)
	}
}

// Ensure that an edit takes whole lines, once, and leaves line ends and everything else as they are.
func TestBegin(t *testing.T) {
	f := func(source, whole, begins, want string) {
		t.Helper()
		got, err := begin([]byte(source), "a.go", []edit{{"b.go", "z\n", ""}, {"a.go", whole, begins}})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	f("x\ny\nz\n", "y\n", "", "x\nz\n")
	f("x\ny\nz\n", "x\n", "w\nw\n", "w\nw\ny\nz\n")
	f("x\r\ny\r\nz\r\n", "y\n", "w\n", "x\r\nw\r\nz\r\n")
	f("xy\ny\n", "y\n", "", "xy\n")
	f("x\ny", "x\n", "", "y")
	for _, source := range []string{"x\n", "y\ny\n"} {
		_, err := begin([]byte(source), "a.go", []edit{{"a.go", "y\n", ""}})
		require.ErrorContains(t, err, "a.go: what the task takes out is not there exactly once")
	}
}
