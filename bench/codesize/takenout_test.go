package codesize

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// changesToo asks for the tests that build and test copies of the source: minutes of work, none of
// which depends on the machine or on chance.
var changesToo = flag.Bool("changes", false,
	"build and test copies of the source without what is marked: go test ./bench/codesize -args -changes")

// skipUnlessAsked skips a test that builds copies of the source.
func skipUnlessAsked(t *testing.T) {
	t.Helper()
	if !*changesToo {
		t.Skip("builds copies of the source: make test-changes")
	}
}

// takenOut are the changes that are taken out together, the later ones first.
var takenOut = []struct {
	gone   []string
	serves []string // transcripts that pass without them
	fails  string   // one that does not
	with   string   // and how
}{
	{[]string{"field"}, []string{"new_metric"}, "new_field", "outside: no such field"},
	{[]string{"field", "metric"}, []string{"deploy"}, "new_metric", `version "v3"`},
	{
		[]string{"field", "metric", "bugfix"},
		[]string{"settled", "boundaries", "late"},
		"deploy", `version "v2"`,
	},
}

// Ensure that the marks are all there is of a change: without what is marked nothing is left over
// that only the change needed.
func TestChangesLeaveNothingBehind(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	gone := [][]string{{"view"}}
	for _, c := range takenOut {
		gone = append(gone, c.gone)
	}
	for _, gone := range gone {
		left := taken(t, root, gone)
		for _, side := range []string{"lambda", "kappa"} {
			require.Empty(t, unused(sideOf(t, root, side, left)), "%s: mark what only %v needs", side, gone)
		}
	}
}

// Ensure that what is marked is not needed without: the rest serves the version before, in
// transcripts whose answers the oracle checks. The version itself is gone.
func TestChangesCanBeTakenOut(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	for _, c := range takenOut {
		left := taken(t, root, c.gone)
		played := strings.Join(append([]string{c.fails}, c.serves...), "|")
		out, err := overlaid(t, root, left, "test", "./bench/systemtest", "-v", "-run", "^TestTranscripts$/^("+played+")$")
		require.Error(t, err, "without %v", c.gone)
		for _, transcript := range c.serves {
			require.Contains(t, out, "--- PASS: TestTranscripts/"+transcript+" ", "without %v", c.gone)
		}
		require.Contains(t, out, "--- FAIL: TestTranscripts/"+c.fails+" ", "without %v", c.gone)
		require.Contains(t, out, c.with)
	}
}

// Ensure that the program compiles without the changes that are versions, the benchmark included.
func TestProgramCompilesWithoutChanges(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	all := takenOut[len(takenOut)-1].gone
	out, err := overlaid(t, root, taken(t, root, all), "build", "./...")
	require.NoError(t, err, "marked, and needed without: %s", out)
}

// Ensure that both sides, and what they share, compile without the view that was added. It is less
// than the test above says of the other changes: oracle, driver and tests know the view, and nothing
// of it is marked in them, so what is left cannot be played.
func TestViewCanBeTakenOut(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	out, err := overlaid(t, root, taken(t, root, []string{"view"}),
		"build", "./event", "./view", "./internal/...", "./lambda", "./kappa")
	require.NoError(t, err, "marked, and needed without: %s", out)
}

// Ensure that nothing is marked in vain: each place of the bug fix alone is needed, for what the
// detectors' tests say of v2, or to compile. With the test above, v2 is v1 and exactly these places.
func TestEveryPlaceOfTheBugfixIsNeeded(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	for _, side := range []string{"lambda", "kappa"} {
		files, err := sourceFiles(os.DirFS(root), side)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
			found, err := places(file, source)
			require.NoError(t, err)
			for _, p := range found {
				if p.change != "bugfix" || strings.HasSuffix(file, "_test.go") {
					continue
				}
				without := bytes.Clone(source)
				blank(without, p.from, p.to)
				left := map[string][]byte{file: without}
				out, err := overlaid(t, root, left,
					"test", "./"+side, "-run", "TestDetectors|TestLogicsPublishTheSame|TestColumnsOfVersions")
				require.Error(t, err, "%s: %s is marked in vain: %s", file, source[p.from:p.to], out)
			}
		}
	}
}

// taken returns the files that read otherwise without some changes, those of tests and of the oracle
// included.
func taken(t *testing.T, root string, gone []string) map[string][]byte {
	files, err := sourceFiles(os.DirFS(root), ".")
	require.NoError(t, err)
	left := map[string][]byte{}
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		found, err := places(file, source)
		require.NoError(t, err)
		if rest := without(source, found, gone); !bytes.Equal(rest, source) {
			left[file] = rest
		}
	}
	return left
}

// sideOf returns the files of a side, some of which read otherwise.
func sideOf(t *testing.T, root, side string, otherwise map[string][]byte) map[string]*ast.File {
	files, err := sourceFiles(os.DirFS(root), side)
	require.NoError(t, err)
	trees := map[string]*ast.File{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, ok := otherwise[file]
		if !ok {
			source, err = os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
		}
		trees[file] = parsed(t, string(source))
	}
	return trees
}

// overlaid runs the go command in the project, some files of which read otherwise.
func overlaid(t *testing.T, root string, otherwise map[string][]byte, command string, args ...string) (string, error) {
	dir := t.TempDir()
	replace := map[string]string{}
	for file, source := range otherwise {
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file, source, parser.ParseComments)
		require.NoError(t, err)
		dropUnusedImports(tree)
		var rest bytes.Buffer
		require.NoError(t, format.Node(&rest, fset, tree))
		aside := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		require.NoError(t, os.WriteFile(aside, rest.Bytes(), 0o644))
		replace[filepath.Join(root, filepath.FromSlash(file))] = aside
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	overlay := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o644))
	args = append([]string{command, "-overlay", overlay}, args...)
	if command == "test" {
		args = append([]string{command, "-vet=off", "-count=1"}, args[1:]...)
	}
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root
	out, err := c.CombinedOutput()
	return string(out), err
}
