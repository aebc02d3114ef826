package codesize

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"lambdakappa/bench/result"
)

// changeDirective marks what one change of the logic has added: //bench:change metric fold. The first
// word is the change, one of changes; the second, which may be missing, names the edit. It stands
// behind a declaration, field, statement, clause or element of a list, on the line where that begins,
// or in a comment above it. Above the package clause it marks every declaration of the file that has no
// mark of its own. What is marked is everything of that change, and nothing else: a test takes the
// marked places out and has the version before; of a view, the sides and what they share without it.
const changeDirective = "//bench:change "

// changes are the changes whose cost is counted. The logic has them one after the other: what came
// later may need what came before.
var changes = []string{"bugfix", "metric", "field", "view"}

// A place is one thing in a file that a change has added.
type place struct {
	change, edit string
	node         ast.Node
	from, to     int // offsets in the file; a comma that goes with it included
}

// places finds what is marked in a file, in the order of the marks; those of the whole file come last.
func places(file string, source []byte) ([]place, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	items := listItems(fset, tree)
	var found, whole []place
	for _, group := range tree.Comments {
		for _, c := range group.List {
			text, ok := strings.CutPrefix(c.Text, changeDirective)
			if !ok {
				continue
			}
			at := fset.Position(c.Pos())
			change, edit, _ := strings.Cut(text, " ")
			if !slices.Contains(changes, change) {
				return nil, fmt.Errorf("%s: %q is none of %v", at, change, changes)
			}
			if c.Pos() < tree.Package {
				whole = append(whole, place{change: change, edit: edit})
				continue
			}
			item, err := itemAt(items[markedLine(fset, group, c, source)])
			if err != nil {
				return nil, fmt.Errorf("%s: the mark of a change %w", at, err)
			}
			found = append(found, placeOf(fset, item, source, change, edit))
		}
	}
	for _, mark := range whole {
		found = append(found, unmarked(fset, tree, source, mark, found)...)
	}
	return found, nil
}

// placeOf is the place that one thing of a file takes.
func placeOf(fset *token.FileSet, item ast.Node, source []byte, change, edit string) place {
	from, to := fset.Position(item.Pos()).Offset, fset.Position(item.End()).Offset
	if _, listed := item.(ast.Expr); listed {
		to += commaAfter(source[to:])
	}
	return place{change, edit, item, from, to}
}

// unmarked returns what the mark of a whole file stands for: the declarations that are no place yet,
// but for imports, which go with what needs them.
func unmarked(fset *token.FileSet, tree *ast.File, source []byte, mark place, found []place) []place {
	var rest []place
	for _, d := range tree.Decls {
		isPlace := slices.ContainsFunc(found, func(p place) bool { return p.node == d })
		if g, ok := d.(*ast.GenDecl); isPlace || ok && g.Tok == token.IMPORT {
			continue
		}
		rest = append(rest, placeOf(fset, d, source, mark.change, mark.edit))
	}
	return rest
}

// markedLine is the line of what a mark belongs to: its own, or the one below its comment.
func markedLine(fset *token.FileSet, group *ast.CommentGroup, c *ast.Comment, source []byte) int {
	at := fset.Position(c.Pos())
	before := source[at.Offset-(at.Column-1) : at.Offset]
	if len(bytes.TrimSpace(before)) > 0 {
		return at.Line
	}
	return fset.Position(group.End()).Line + 1
}

// listItems are the things that can be taken out of a file, by the line where they begin, the outer
// ones first.
func listItems(fset *token.FileSet, tree *ast.File) map[int][]ast.Node {
	items := map[int][]ast.Node{}
	add := func(n ast.Node) {
		line := fset.Position(n.Pos()).Line
		items[line] = append(items[line], n)
	}
	for _, d := range tree.Decls {
		add(d)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Lparen.IsValid() {
				addAll(n.Specs, add)
			}
		case *ast.StructType:
			addAll(n.Fields.List, add)
		case *ast.InterfaceType:
			addAll(n.Methods.List, add)
		case *ast.BlockStmt:
			addAll(n.List, add)
		case *ast.CaseClause:
			addAll(n.Body, add)
		case *ast.CommClause:
			addAll(n.Body, add)
		case *ast.CompositeLit:
			addAll(n.Elts, add)
		case *ast.CallExpr:
			addAll(n.Args, add)
		}
		return true
	})
	return items
}

func addAll[N ast.Node](list []N, add func(ast.Node)) {
	for _, n := range list {
		add(n)
	}
}

// itemAt returns the outermost of the items that begin on one line.
func itemAt(items []ast.Node) (ast.Node, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("stands at nothing that could be taken out")
	}
	outer := items[0]
	for _, n := range items[1:] {
		if n.Pos() < outer.Pos() || n.End() > outer.End() {
			return nil, fmt.Errorf("stands at several things: give each a line")
		}
	}
	return outer, nil
}

// commaAfter is the length of what follows up to and with a comma; 0 when there is none.
func commaAfter(rest []byte) int {
	trimmed := bytes.TrimLeft(rest, " \t")
	if len(trimmed) == 0 || trimmed[0] != ',' {
		return 0
	}
	return len(rest) - len(trimmed) + 1
}

// without blanks the places of some changes in a source: the lines stay where they are.
func without(source []byte, found []place, gone []string) []byte {
	source = bytes.Clone(source)
	for _, p := range found {
		if slices.Contains(gone, p.change) {
			blank(source, p.from, p.to)
		}
	}
	return source
}

// blank overwrites a part of a source with spaces.
func blank(source []byte, from, to int) {
	for i := from; i < to; i++ {
		if source[i] != '\n' {
			source[i] = ' '
		}
	}
}

// A changeCount adds up what the changes cost one column.
type changeCount struct {
	costs map[string]result.ChangeCost
	files map[[2]string]int // by change and edit: the files in which the edit is made
}

func newChangeCount() *changeCount {
	return &changeCount{costs: map[string]result.ChangeCost{}, files: map[[2]string]int{}}
}

// add counts the places of one file that the column has: what only another one needs is blank in
// source. An edit that is made in another file of the column as well is made twice, whatever the
// number of places that it takes in each.
func (c *changeCount) add(source []byte, found []place) {
	found = slices.DeleteFunc(found, func(p place) bool { return source[p.from] == ' ' })
	changed, edited := map[string]bool{}, map[[2]string]bool{}
	for _, p := range found {
		cost := c.costs[p.change]
		cost.Places++
		if !isInside(p, found) {
			cost.Statements += statements(p.node)
			cost.Lines += lines(source[p.from:p.to])
		}
		if !changed[p.change] {
			changed[p.change] = true
			cost.Files++
		}
		if edit := [2]string{p.change, p.edit}; p.edit != "" && !edited[edit] {
			edited[edit] = true
			if c.files[edit]++; c.files[edit] > 1 {
				cost.Duplicated++
			}
		}
		c.costs[p.change] = cost
	}
}

// isInside reports whether a place is part of another one of the same change.
func isInside(p place, found []place) bool {
	return slices.ContainsFunc(found, func(o place) bool {
		return o.change == p.change && o.from <= p.from && p.to <= o.to && o.to-o.from > p.to-p.from
	})
}
