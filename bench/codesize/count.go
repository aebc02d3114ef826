package codesize

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/uudashr/gocognit"

	"lambdakappa/bench/result"
)

// countColumn counts what one column has of some folders.
func countColumn(fsys fs.FS, column string, folders []string) (result.CodeSize, error) {
	var size result.CodeSize
	changed := newChangeCount()
	for _, folder := range folders {
		files, err := sourceFiles(fsys, folder)
		if err != nil {
			return size, err
		}
		packages := map[string][]string{} // by directory
		for _, file := range files {
			packages[path.Dir(file)] = append(packages[path.Dir(file)], file)
		}
		for _, dir := range slices.Sorted(maps.Keys(packages)) {
			if err := addPackage(&size, changed, fsys, column, packages[dir]); err != nil {
				return size, err
			}
		}
	}
	slices.Sort(size.ComplexityPerFunc)
	size.Changes = changed.costs
	return size, nil
}

// addPackage counts the files of one directory together: whether a function is recursive, which
// makes it more complex, can depend on another file.
func addPackage(
	size *result.CodeSize, changed *changeCount, fsys fs.FS, column string, files []string,
) error {
	fset := token.NewFileSet()
	var trees []*ast.File
	for _, file := range files {
		source, err := fs.ReadFile(fsys, file)
		if err != nil {
			return err
		}
		if strings.HasSuffix(file, "_test.go") {
			size.TestLines += lines(source)
			continue
		}
		found, err := places(file, source)
		if err != nil {
			return err
		}
		tree, source, err := parse(fset, file, source, column)
		if err != nil {
			return err
		}
		if tree == nil {
			continue
		}
		changed.add(source, found)
		trees = append(trees, tree)
		size.LogicStatements += logicStatements(tree)
		size.PerFile = append(size.PerFile, result.FileSize{
			File: file, Lines: lines(source), Statements: statements(tree),
		})
	}
	added := size.PerFile[len(size.PerFile)-len(trees):]
	addComplexity(size, added, fset, trees)
	for _, f := range added {
		size.Files++
		size.Lines += f.Lines
		size.Statements += f.Statements
		size.CognitiveComplexity += f.Complexity
	}
	return nil
}

// addComplexity counts functions and their complexity; perFile are the rows of the same trees.
func addComplexity(
	size *result.CodeSize, perFile []result.FileSize, fset *token.FileSet, trees []*ast.File,
) {
	for _, stat := range gocognit.ComplexityStatsForFiles(trees, fset, nil, nil) {
		size.Functions++
		size.ComplexityPerFunc = append(size.ComplexityPerFunc, stat.Complexity)
		for i := range perFile {
			if perFile[i].File == stat.Pos.Filename {
				perFile[i].Complexity += stat.Complexity
			}
		}
	}
}

// lines returns the number of lines that hold at least one token. Every line of a raw string
// counts: it is content, such as a schema.
func lines(source []byte) int { return len(tokenLines(source)) }

// tokenLines returns the numbers of the lines that [lines] counts, in order.
func tokenLines(source []byte) []int {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0) // without comments
	var counted []int
	last := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return counted
		}
		if tok == token.SEMICOLON && literal != ";" {
			continue // put in by the scanner at the end of a line
		}
		begin := file.Line(pos)
		end := begin + strings.Count(literal, "\n")
		for n := max(begin, last+1); n <= end; n++ {
			counted = append(counted, n)
		}
		last = end
	}
}

// CountedLines returns the numbers of the lines of a file that a column counts, from 1, in order: those that hold
// a token, without what other columns alone need.
func CountedLines(file string, source []byte, column string) ([]int, error) {
	tree, rest, err := parse(token.NewFileSet(), file, source, column)
	if err != nil || tree == nil {
		return nil, err
	}
	return tokenLines(rest), nil
}

// statements returns the number of statements in function bodies. Blocks, labels and the clauses
// of a switch or select only group statements and count nothing themselves.
func statements(tree ast.Node) int {
	counted := 0
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.BlockStmt, *ast.EmptyStmt, *ast.LabeledStmt, *ast.CaseClause, *ast.CommClause:
		case ast.Stmt:
			counted++
		}
		return true
	})
	return counted
}

// logicDirective marks the functions that say what the answer is: whoever changes the answer has to
// change them, all of them. It stands in their comment, as directives do.
const logicDirective = "//bench:logic"

// logicStatements returns the number of statements in the functions that are marked.
func logicStatements(tree *ast.File) int {
	counted := 0
	for _, declaration := range tree.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Doc == nil || f.Body == nil {
			continue
		}
		if has(f.Doc, logicDirective) {
			counted += statements(f.Body)
		}
	}
	return counted
}
