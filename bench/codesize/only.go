package codesize

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// onlyDirective marks what one column alone needs of a folder: //bench:only lambda-shared. It
// stands where the mark of a change may stand (see changeDirective), or before the package clause of a
// file that belongs there as a whole. What is marked for a name that is no column is in none: a switch
// that makes an architecture wrong on purpose is nobody's size.
const onlyDirective = "//bench:only "

// parse parses a file without what other columns need: that is gone from the tree and blank in the
// source. It returns nil when nothing is left.
func parse(fset *token.FileSet, file string, source []byte, column string) (*ast.File, []byte, error) {
	whole := token.NewFileSet()
	tree, err := parser.ParseFile(whole, file, source, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	if isForeign(column, tree.Doc) {
		return nil, nil, nil
	}
	rest := bytes.Clone(source)
	items := listItems(whole, tree)
	for _, group := range tree.Comments {
		for _, c := range group.List {
			name, ok := strings.CutPrefix(c.Text, onlyDirective)
			if !ok || name == column || c.Pos() < tree.Package {
				continue
			}
			item, err := itemAt(items[markedLine(whole, group, c, source)])
			if err != nil {
				return nil, nil, fmt.Errorf("%s: the mark of a column %w", whole.Position(c.Pos()), err)
			}
			p := placeOf(whole, item, source, "", "")
			blank(rest, p.from, p.to)
		}
	}
	tree, err = parser.ParseFile(fset, file, rest, parser.ParseComments)
	return tree, rest, err
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
