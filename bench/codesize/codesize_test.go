package codesize

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// Ensure that lines are lines with tokens.
func TestLines(t *testing.T) {
	f := func(source string, want int) {
		t.Helper()
		require.Equal(t, want, lines([]byte(source)), source)
	}
	f("", 0)
	f("package p", 1)
	f("package p\n\n\n", 1)
	f("// why\npackage p // what\n/* a\nb */\n", 1)
	f("package p; var x = 1; var y = 2", 1)
	f("package p\nvar x = f(\n\t1,\n)\n", 4)
	f("package p\nvar s = `a\n\nb`\n", 4) // a raw string is content, blank lines too
	f("package p\nvar s = `a\nb` + `c\nd`\n", 4)
	f("package p\r\nvar s = `a\r\nb`\r\n", 3)
	f("package p\nfunc f() {\n\t// nothing\n}\n", 3)
}

// Ensure that statements are counted however lines are broken.
func TestStatements(t *testing.T) {
	f := func(body string, want int) {
		t.Helper()
		tree, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {"+body+"}", 0)
		require.NoError(t, err)
		require.Equal(t, want, statements(tree), body)
	}
	f("", 0)
	f(";", 0)
	f("return", 1)
	f("{ return }", 1)
	f("x := 1; _ = x", 2)
	f("if x := 1; x > 0 { return } else { return }", 4)
	f("for i := 0; i < 3; i++ { g() }", 4)
	f("for range 3 { g() }", 2)
	f("switch x { case 1: g(); default: h() }", 3)
	f("select { case <-c: g() }", 3)
	f("var x int; _ = x", 2)
	f("again: goto again", 1)
	f("go func() { g() }()", 2)
}

// Ensure that what says the answer is counted where it is marked, and nowhere else.
func TestLogicStatements(t *testing.T) {
	f := func(source string, want int) {
		t.Helper()
		tree, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.ParseComments)
		require.NoError(t, err)
		require.Equal(t, want, logicStatements(tree), source)
	}
	f("// f folds.\n//\n//bench:logic\nfunc f() { g(); return }\nfunc g() { return }", 2)
	f("//bench:logic\nfunc (x T) f() { if x { return } }\n\n//bench:logic\nfunc g() { return }", 3)
	f("//bench:logic\n\nfunc f() { return }", 0)
	f("func f() { //bench:logic\nreturn }", 0)
}

// Ensure that both sides mark it: the column compares nothing otherwise.
func TestBothSidesMarkTheirLogic(t *testing.T) {
	sizes, err := Count(os.DirFS("../.."))
	require.NoError(t, err)
	require.Positive(t, sizes["kappa"].LogicStatements)
	require.Greater(t, sizes["lambda"].LogicStatements, sizes["kappa"].LogicStatements,
		"Lambda says it twice")
}

// Ensure that complexity is the published measure, over the files of a package together.
func TestComplexity(t *testing.T) {
	f := func(want []int, sources ...string) {
		t.Helper()
		files := fstest.MapFS{}
		for i, source := range sources {
			name := "lambda/" + string(rune('a'+i)) + ".go"
			files[name] = &fstest.MapFile{Data: []byte("package p\n" + source)}
		}
		size, err := countColumn(files, "lambda", []string{"lambda"})
		require.NoError(t, err)
		require.Equal(t, want, size.ComplexityPerFunc)
		require.Equal(t, len(want), size.Functions)
	}
	f([]int{0}, "func f() {}")
	f([]int{1}, "func f() { if x {} }")
	f([]int{2}, "func f() { if x {} else {} }")
	f([]int{3}, "func f() { for { if x {} } }") // nesting costs
	f([]int{1}, "func f() { switch x { case 1: case 2: } }")
	f([]int{2}, "func f() { if a && b && c {} }")
	f([]int{1}, "func f() { f() }")
	f([]int{0, 1, 3}, "func f() {}\nfunc g() { if x {} }", "func (t T) h() { for { if x {} } }")
	f([]int{1, 1}, "func f() { g() }", "func g() { f() }") // recursion through another file
}

// Ensure that tests, testdata and hidden folders are not the size of the code.
func TestColumns(t *testing.T) {
	files := fstest.MapFS{}
	for name, source := range map[string]string{
		"event/a.go":                "package event\nvar A = 1\n",
		"view/a.go":                 "package view\n",
		"internal/eventlog/a.go":    "package eventlog\nfunc f() { g() }\n",
		"internal/eventlog/b.go":    "package eventlog\nfunc g() { if x { h() } }\n",
		"internal/a_test.go":        "package internal\n\nfunc f() {}\n",
		"internal/testdata/x.go":    "broken",
		"internal/.hidden/x.go":     "broken",
		"internal/_off/x.go":        "broken",
		"internal/readme.md":        "text",
		"lambda/a.go":               "package lambda\n",
		"bench/oracle/a_b.go":       "package oracle\n",
		"bench/oracle/some_test.go": "package oracle\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(source)}
	}
	got, err := Count(files)
	require.NoError(t, err)
	shared := got["shared"]
	require.Equal(t, 4, shared.Files)
	require.Equal(t, 7, shared.Lines)
	require.Equal(t, 3, shared.Statements)
	require.Equal(t, 1, shared.CognitiveComplexity)
	require.Equal(t, []int{0, 1}, shared.ComplexityPerFunc)
	require.Equal(t, 2, shared.TestLines)
	require.Equal(t, "internal/eventlog/b.go", shared.PerFile[3].File)
	require.Equal(t, 1, shared.PerFile[3].Complexity)
	require.Equal(t, 1, got["bench"].Files)
	require.Equal(t, 1, got["lambda"].Files)
	require.Zero(t, got["kappa"].Files)
	require.Nil(t, shared.Operators)
}

// Ensure that the operators' view is read from the code's shape.
func TestOperators(t *testing.T) {
	f := func(source, name string, want int) {
		t.Helper()
		files := fstest.MapFS{"lambda/a.go": {Data: []byte("package lambda\n" + source)}}
		got, err := countOperators(files, "lambda", "lambda")
		require.NoError(t, err)
		require.Equal(t, want, got[name], source)
	}
	f("type Config struct { A int; B, C string; d int }", "config_fields", 3)
	f("type Other struct { A int }", "config_fields", 0)
	f(`const ATopic, bTopic = "a", "b"`, "topics", 1)
	f(`func ViewTopic(version string) string { return "" }`, "topics", 1)
	f(`var ATopic = "a"`, "topics", 0)
	f("func Ingest(ctx context.Context, cfg Config) error { return nil }", "processes", 1)
	f("func Replay(ctx context.Context, cfg Config, from, to time.Time) error { return nil }", "processes", 1)
	f("func (s *Serving) Run(ctx context.Context) error { return nil }", "processes", 1)
	f("func RunBatch(ctx context.Context, cfg Config) (Manifest, error) { }", "processes", 0)
	f("func CreateTopics(ctx context.Context, log *eventlog.Log, n int) error { }", "processes", 0)
	f("func ingest(ctx context.Context, cfg Config) error { return nil }", "processes", 0)
	f("func f() { cfg.Log.RunGroup(ctx, group, topic, task) }", "consumer_groups", 1)
	f(`func f() { filepath.Join(c.Dir, "master"); filepath.Join(c.Dir, "master", "x") }`, "directories", 1)
	f(`func f() { filepath.Join(dir, "x"); filepath.Join(c.Dir, name) }`, "directories", 0)
}

// Ensure that a binary outside of a checkout says so instead of counting nothing.
func TestNoSource(t *testing.T) {
	_, err := Root(t.TempDir())
	require.True(t, errors.Is(err, ErrNoSource))

	other := t.TempDir()
	require.NoError(t, os.WriteFile(other+"/go.mod", []byte("module other\n"), 0o644))
	_, err = Root(other)
	require.True(t, errors.Is(err, ErrNoSource))
}

// Ensure that source which does not parse is an error that names the file.
func TestBrokenSource(t *testing.T) {
	_, err := Count(fstest.MapFS{"kappa/a.go": {Data: []byte("package kappa\nfunc {")}})
	require.ErrorContains(t, err, "count kappa: kappa/a.go:2")
}

// Ensure that this project itself can be counted, and that no package of it is in no column.
func TestThisProject(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	got, err := Count(os.DirFS(root))
	require.NoError(t, err)
	for _, side := range sides {
		require.Positive(t, got[side].Statements, side)
		for name, n := range got[side].Operators {
			if name != "directories" { // Kappa keeps nothing outside the log
				require.Positive(t, n, "%s: %s", side, name)
			}
		}
	}
	files, err := sourceFiles(os.DirFS(root), ".")
	require.NoError(t, err)
	for _, file := range files {
		if path.Dir(file) != "." { // layout_test.go
			require.NotEmpty(t, columnOf(file), "%s is in no column", file)
		}
	}
}

func columnOf(file string) string {
	for column, folders := range columns {
		if slices.Contains(folders, strings.Split(file, "/")[0]) {
			return column
		}
	}
	return ""
}
