package codesize

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// onlyDirective marks what one column alone needs of a folder: //bench:only lambda-shared. It
// stands in the comment of a top-level declaration, before the package clause of a file that
// belongs there as a whole, or behind an element of a list. What is marked for a name that is no
// column is in none: a switch that makes an architecture wrong on purpose is nobody's size.
const onlyDirective = "//bench:only "

// parse parses a file without what other columns need: that is gone from the tree and blank in the
// source. It returns nil when nothing is left.
func parse(fset *token.FileSet, file string, source []byte, column string) (*ast.File, []byte, error) {
	tree, err := parser.ParseFile(fset, file, source, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	if isForeign(column, tree.Doc) {
		return nil, nil, nil
	}
	source = bytes.Clone(source)
	blank := func(n ast.Node) {
		for i := fset.Position(n.Pos()).Offset; i < fset.Position(n.End()).Offset; i++ {
			if source[i] != '\n' {
				source[i] = ' '
			}
		}
	}
	tree.Decls = slices.DeleteFunc(tree.Decls, func(d ast.Decl) bool {
		foreign := isForeign(column, docOf(d))
		if foreign {
			blank(d)
		}
		return foreign
	})
	blankElements(fset, tree, source, column)
	return tree, source, nil
}

// blankElements removes the marked elements of lists: the directive stands on their line.
func blankElements(fset *token.FileSet, tree *ast.File, source []byte, column string) {
	marked := map[int]bool{}
	for _, group := range tree.Comments {
		if isForeign(column, group) {
			marked[fset.Position(group.Pos()).Line] = true
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		list, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		list.Elts = slices.DeleteFunc(list.Elts, func(e ast.Expr) bool {
			line := fset.Position(e.End()).Line
			if marked[line] {
				blankLine(source, fset.Position(e.Pos()).Offset)
			}
			return marked[line]
		})
		return true
	})
}

// blankLine blanks a line from an offset to its end.
func blankLine(source []byte, from int) {
	for i := from; i < len(source) && source[i] != '\n'; i++ {
		source[i] = ' '
	}
}

// docOf returns the comment of a declaration, nil when it has none.
func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

// isForeign reports whether a comment says that another column alone needs what it stands at.
func isForeign(column string, doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if name, ok := strings.CutPrefix(c.Text, onlyDirective); ok && name != column {
			return true
		}
	}
	return false
}

// has reports whether a comment has a directive.
func has(doc *ast.CommentGroup, directive string) bool {
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return c.Text == directive })
}
