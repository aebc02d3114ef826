package codesize

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// Ensure that a mark belongs to what begins on its line or below its comment, the outermost.
func TestPlaces(t *testing.T) {
	f := func(source string, want ...string) {
		t.Helper()
		found, err := places("a.go", []byte("package p\n"+source))
		require.NoError(t, err)
		var got []string
		for _, p := range found {
			got = append(got, p.change+" "+p.edit+": "+("package p\n" + source)[p.from:p.to])
		}
		require.Equal(t, want, got, source)
	}
	f("var x = 1 //bench:change metric", "metric : var x = 1")
	f("// f is new.\n//\n//bench:logic\n//bench:change metric fold\nfunc f() {}", "metric fold: func f() {}")
	f("type T struct {\n\tA int\n\tB int //bench:change field answer\n}", "field answer: B int")
	f("type T struct {\n\tA int\n\n\t// B is new.\n\t//\n\t//bench:change field\n\tB int // m/s\n}", "field : B int")
	f("const (\n\ta = iota\n\tb //bench:change field\n)", "field : b")
	f("func f() {\n\tif x { //bench:change view\n\t\tg(1)\n\t}\n}", "view : if x { //bench:change view\n\t\tg(1)\n\t}")
	f("func f() {\n\tswitch {\n\tcase x: //bench:change bugfix\n\t\tg()\n\t}\n}",
		"bugfix : case x: //bench:change bugfix\n\t\tg()")
	f("var x = []int{\n\t1,\n\t2, //bench:change metric\n}", "metric : 2,")
	f("var x = f(\n\t1,\n\t2, //bench:change metric\n)", "metric : 2,")
	f("var x = T{\n\tA: 1, //bench:change metric\n\tB: 2,\n}", "metric : A: 1,")
}

// Ensure that a mark that marks nothing, too much, or an unknown change is an error that names it.
func TestBadMarks(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		_, err := places("a.go", []byte("package p\n"+source))
		require.ErrorContains(t, err, want)
	}
	f("//bench:change metric\n\nvar x = 1", "a.go:2:1: the mark of a change stands at nothing")
	f("func f() {\n\tx := 1\n\t_ = x + //bench:change refactoring\n\t\t1\n}", `a.go:4:10: "refactoring" is none of`)
	f("var x = []int{\n\t1, 2, //bench:change metric\n}", "stands at several things")
}

// Ensure that costs are what a pencil says: an edit is duplicated by files and not by places, and what
// only another column needs does not count.
func TestChangeCosts(t *testing.T) {
	files := fstest.MapFS{
		"lambda/batch.go": {Data: []byte(`package lambda

func add() {
	b := more() //bench:change metric fold
	if x {      //bench:change metric fold
		b++
	}
	y() //bench:change bugfix detector
}
`)},
		"lambda/speed.go": {Data: []byte(`package lambda

//bench:change metric fold
func foldV3() {
	z()
}

var versions = []string{
	"v3", //bench:change metric version
}
`)},
		"lambda/batchevents.go": {Data: []byte(`//bench:only lambda-shared
package lambda

func names() {
	x() //bench:change metric event
}
`)},
	}
	sizes, err := Count(files)
	require.NoError(t, err)
	cost := sizes["lambda"].Changes["metric"]
	require.Equal(t, []int{2, 4, 4, 1 + 3 + 3 + 1, 1},
		[]int{cost.Files, cost.Places, cost.Statements, cost.Lines, cost.Duplicated})
	shared := sizes["lambda-shared"].Changes["metric"]
	require.Equal(t, []int{3, 5, 5, 9, 1},
		[]int{shared.Files, shared.Places, shared.Statements, shared.Lines, shared.Duplicated})
	require.Equal(t, 1, sizes["lambda"].Changes["bugfix"].Places)
	require.Empty(t, sizes["kappa"].Changes)
}

// Ensure that the changes that we tell of are there, and that whoever has the logic twice makes the
// bug fix twice.
func TestEveryChangeIsMarked(t *testing.T) {
	sizes, err := Count(os.DirFS("../.."))
	require.NoError(t, err)
	for _, side := range sides {
		for _, change := range []string{"bugfix", "metric", "field"} {
			require.Positive(t, sizes[side].Changes[change].Places, "%s: %s", side, change)
		}
	}
	require.Zero(t, sizes["kappa"].Changes["bugfix"].Duplicated)
	require.Positive(t, sizes["lambda"].Changes["bugfix"].Duplicated)
	require.Zero(t, sizes["shared"].Changes["bugfix"].Places)
}

// Ensure that the marks are all there is of a change: without what is marked the rest compiles,
// nothing is left over that only the change needed, and it serves the version before, in transcripts
// whose answers the oracle checks. The version itself is gone.
func TestChangesCanBeTakenOut(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the project three times")
	}
	root, err := Root(".")
	require.NoError(t, err)
	for _, c := range []struct {
		gone          []string
		serves, fails string // transcripts
		with          string
	}{
		{[]string{"field"}, "new_metric", "new_field", "outside: no such field"},
		{[]string{"field", "metric"}, "deploy", "new_metric", `version "v3"`},
		{[]string{"field", "metric", "bugfix"}, "settled|boundaries|late", "deploy", `version "v2"`},
	} {
		left := taken(t, root, c.gone)
		for _, side := range []string{"lambda", "kappa"} {
			require.Empty(t, unused(sideOf(t, root, side, left)), "%s: mark what only %v needs", side, c.gone)
		}
		out, err := overlaid(t, root, left, "test", "./bench/systemtest", "-run", "Transcripts/^("+c.serves+")$")
		require.NoError(t, err, "without %v: %s", c.gone, out)
		require.NotContains(t, out, "no tests to run")
		out, err = overlaid(t, root, left, "test", "./bench/systemtest", "-run", "Transcripts/^("+c.fails+")$")
		require.Error(t, err, "without %v", c.gone)
		require.Contains(t, out, c.with)
	}
	out, err := overlaid(t, root, taken(t, root, []string{"field", "metric", "bugfix"}), "build", "./...")
	require.NoError(t, err, "marked, and needed without: %s", out)
}

// Ensure that nothing is marked in vain: each place of the bug fix alone is needed, for what the
// detectors' tests say of v2, or to compile. With the test above, v2 is v1 and exactly these places.
func TestEveryPlaceOfTheBugfixIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles both sides once per place")
	}
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
				if _, err := overlaid(t, root, left, "build", "./"+side); err != nil {
					continue
				}
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
