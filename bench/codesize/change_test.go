package codesize

import (
	"os"
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
	whole := func(source string, want ...string) {
		t.Helper()
		found, err := places("a.go", []byte(source))
		require.NoError(t, err)
		var got []string
		for _, p := range found {
			got = append(got, p.change+" "+p.edit+": "+source[p.from:p.to])
		}
		require.Equal(t, want, got, source)
	}
	whole("//bench:change view\npackage p\n\nimport \"fmt\"\n\ntype T int\n\n//bench:change view fold\nfunc f() {}\n\nvar x T\n",
		"view fold: func f() {}", "view : type T int", "view : var x T")
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
		for _, change := range changes {
			require.Positive(t, sizes[side].Changes[change].Places, "%s: %s", side, change)
		}
	}
	require.Zero(t, sizes["kappa"].Changes["bugfix"].Duplicated)
	require.Positive(t, sizes["lambda"].Changes["bugfix"].Duplicated)
	require.Zero(t, sizes["shared"].Changes["bugfix"].Places)
}
