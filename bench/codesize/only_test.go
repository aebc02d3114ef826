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
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// Ensure that what is marked counts in its own column and in no other.
func TestOnlyMarked(t *testing.T) {
	files := fstest.MapFS{
		"lambda/a.go": {Data: []byte(`package lambda

var ways = map[string]func(){
	"columns": columns, //bench:only lambda
	"events": events, //bench:only lambda-shared
}

// columns is one way.
//
//bench:only lambda
func columns() {
	print(1)
	print(2)
}

//bench:logic
func events() {
	if true { //bench:only lambda
		print(0)
	}
	//bench:only nobody
	print(0)
	print(3)
}

//bench:only mistakes
func wrong() { print(4) }

//bench:only mistakes
const WrongTopic = "wrong"
`)},
		"lambda/b.go": {Data: []byte("//bench:only lambda-shared\npackage lambda\n\nfunc f() { print(5) }\n")},
	}
	sizes, err := Count(files)
	require.NoError(t, err)
	lambda, shared := sizes["lambda"], sizes["lambda-shared"]
	require.Equal(t, []int{1, 2, 5, 14}, []int{lambda.Files, lambda.Functions, lambda.Statements, lambda.Lines})
	require.Equal(t, []int{2, 2, 2, 9}, []int{shared.Files, shared.Functions, shared.Statements, shared.Lines})
	require.Equal(t, []int{3, 1}, []int{lambda.LogicStatements, shared.LogicStatements})
	require.Zero(t, lambda.Operators["topics"])
}

// Ensure that the marks are not too few: in what a column is said to consist of, nothing is left over
// that only another one needs.
func TestMarkedColumnsLeaveNothingBehind(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	for _, column := range sides {
		require.Empty(t, unused(remaining(t, root, column)), "%s: mark what only another column needs", column)
	}
}

// Ensure that the marks are not too many: what a column is said to consist of compiles without the rest.
func TestMarkedColumnsAreComplete(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	for _, column := range sides {
		out, err := build(t, root, "./"+columns[column][0], remaining(t, root, column))
		require.NoError(t, err, "%s: marked for another column, and needed: %s", column, out)
	}
}

// Ensure that the tests above can fail.
func TestMissingMarksAreFound(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	left := remaining(t, root, "lambda-shared")
	left["lambda/more.go"] = parsed(t, "package lambda\nfunc forgotten() { forgotten() }")
	require.Equal(t, []string{"forgotten"}, unused(left))
}

// Ensure that the build above can fail.
func TestWrongMarksAreFound(t *testing.T) {
	skipUnlessAsked(t)
	root, err := Root(".")
	require.NoError(t, err)
	left := remaining(t, root, "lambda-shared")
	left["lambda/more.go"] = parsed(t, "package lambda\nfunc F() { newColumnFold(nil, \"\") }")
	out, err := build(t, root, "./lambda", left)
	require.Error(t, err)
	require.Contains(t, out, "undefined: newColumnFold")
}

// Ensure that only one file of a side is nobody's size, the one that says what it is.
func TestOnlyMistakesAreNobodysSize(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	for _, side := range []string{"lambda", "kappa"} {
		files, err := sourceFiles(os.DirFS(root), side)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
			for line := range strings.Lines(string(source)) {
				name, marked := strings.CutPrefix(line[max(0, strings.Index(line, "//bench:only")):], onlyDirective)
				if name = strings.TrimSpace(name); !marked || columns[name] != nil {
					continue
				}
				require.Equal(t, "mistakes", name, "%s: is no column", file)
				require.Equal(t, side+"/mistakes.go", file)
			}
		}
	}
}

// remaining returns the files of a side as a column has them; nil for one that it has not. What is
// wrong on purpose stays, for what is right asks whether it is on.
func remaining(t *testing.T, root, column string) map[string]*ast.File {
	files, err := sourceFiles(os.DirFS(root), columns[column][0])
	require.NoError(t, err)
	left := map[string]*ast.File{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		source = bytes.ReplaceAll(source, []byte(onlyDirective+"mistakes"), []byte("//"))
		fset := token.NewFileSet()
		tree, source, err := parse(fset, file, source, column)
		require.NoError(t, err)
		if tree != nil {
			tree = parsed(t, string(source))
		}
		left[file] = tree
	}
	return left
}

func parsed(t *testing.T, source string) *ast.File {
	tree, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	require.NoError(t, err)
	return tree
}

// unused lists the unexported top-level names that nothing else names.
func unused(files map[string]*ast.File) []string {
	named := map[string]int{}
	own := map[string]int{} // within the declaration itself
	var declared []string
	for _, tree := range files {
		if tree == nil {
			continue
		}
		names(tree, named)
		for _, d := range tree.Decls {
			for _, name := range declares(d) {
				if !ast.IsExported(name) && name != "_" {
					declared = append(declared, name)
					inside := map[string]int{}
					names(d, inside)
					own[name] = max(own[name], inside[name])
				}
			}
		}
	}
	var left []string
	for _, name := range declared {
		if named[name] == own[name] {
			left = append(left, name)
		}
	}
	return left
}

func names(n ast.Node, counted map[string]int) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			counted[id.Name]++
		}
		return true
	})
}

func declares(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var all []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				all = append(all, s.Name.Name)
			case *ast.ValueSpec:
				if len(d.Specs) > 1 {
					continue // one of several that count on: iota needs them all
				}
				for _, name := range s.Names {
					all = append(all, name.Name)
				}
			}
		}
		return all
	}
	return nil
}

// build compiles a side with these files in the place of its own.
func build(t *testing.T, root, side string, files map[string]*ast.File) (string, error) {
	dir := t.TempDir()
	replace := map[string]string{}
	for file, tree := range files {
		path := filepath.Join(root, filepath.FromSlash(file))
		if tree == nil {
			replace[path] = "" // not there
			continue
		}
		dropUnusedImports(tree)
		var source bytes.Buffer
		require.NoError(t, format.Node(&source, token.NewFileSet(), tree))
		replace[path] = filepath.Join(dir, filepath.Base(file))
		require.NoError(t, os.WriteFile(replace[path], source.Bytes(), 0o644))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, overlay, 0o644))
	c := exec.CommandContext(t.Context(), "go", "build", "-overlay", path, side)
	c.Dir = root
	out, err := c.CombinedOutput()
	return string(out), err
}

// dropUnusedImports drops imports that the marked code alone needed.
func dropUnusedImports(tree *ast.File) {
	used := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	for _, d := range tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		for _, spec := range g.Specs {
			s := spec.(*ast.ImportSpec)
			path, _ := strconv.Unquote(s.Path.Value)
			isUsed := false
			for _, word := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '-' }) {
				isUsed = isUsed || used[word]
			}
			if !isUsed {
				s.Name = ast.NewIdent("_")
			}
		}
	}
}
