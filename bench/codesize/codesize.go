// Package codesize counts the project's own source from its syntax tree, so that "Lambda needs the
// logic twice" is a number that anyone can count again. Nothing in it is typed by hand: rename a
// topic or add a field, and the figures follow.
//
// What counts is what a reader reads and an operator operates:
//
//   - lines that hold a token: comments and blank lines are free, so that nobody is rewarded for
//     explaining less;
//   - statements, which do not depend on how lines are broken;
//   - cognitive complexity per function (G. A. Campbell, "Cognitive Complexity", 2018), as the
//     whole distribution: a sum alone hides one unreadable function among many small ones;
//   - the operators' view: processes, topics, consumer groups, directories, config fields.
//
// Tests are counted apart. The columns are those of the layout: what both sides use is "shared"
// and belongs to neither. Two columns may be made of one folder, as Lambda and lambda-shared are, or
// Kappa and kappa-archived: what only one of them needs is marked in the source (see onlyDirective).
package codesize

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"lambdakappa/bench/result"
)

// columns says which folders, with everything below them, make up which column. Every folder with
// Go files is in exactly one column; a test holds it against the tree.
var columns = map[string][]string{
	"lambda":         {"lambda"},
	"lambda-shared":  {"lambda"}, // what Lambda would be if its batch layer had no logic of its own
	"kappa":          {"kappa"},
	"kappa-archived": {"kappa"}, // with an archive behind it: its sink, replay from it, republishing
	"shared":         {"event", "view", "internal"},
	"bench":          {"bench", "datagen", "docs", "results"},
	"cmd":            {"cmd"},
}

// sides are the columns that have an operators' view.
var sides = []string{"lambda", "lambda-shared", "kappa", "kappa-archived"}

// ErrNoSource is returned when the program does not run inside a checkout of its source: the
// binary embeds none, so there is nothing to count.
var ErrNoSource = errors.New("no source to count: run inside a checkout of lambdakappa")

// modulePrefix is how the project's go.mod begins.
const modulePrefix = "module lambdakappa\n"

// Root returns the root of the checkout that holds dir, or [ErrNoSource].
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find source: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		mod = bytes.ReplaceAll(mod, []byte("\r\n"), []byte("\n")) // a checkout on Windows
		if err == nil && bytes.HasPrefix(mod, []byte(modulePrefix)) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoSource
		}
		dir = parent
	}
}

// Count counts every column of the source in fsys, the root of a checkout (see [Root] and
// os.DirFS).
func Count(fsys fs.FS) (map[string]result.CodeSize, error) {
	counted := map[string]result.CodeSize{}
	for _, column := range slices.Sorted(maps.Keys(columns)) { // the same error first, every time
		size, err := countColumn(fsys, column, columns[column])
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", column, err)
		}
		counted[column] = size
	}
	for _, side := range sides {
		operators, err := countOperators(fsys, side, columns[side][0])
		if err != nil {
			return nil, fmt.Errorf("count operators of %s: %w", side, err)
		}
		size := counted[side]
		size.Operators = operators
		counted[side] = size
	}
	return counted, nil
}

// sourceFiles lists the Go files below a folder, as the go tool sees them: what begins with "."
// or "_" and testdata are not source. A folder that does not exist has none.
func sourceFiles(fsys fs.FS, folder string) ([]string, error) {
	var files []string
	err := fs.WalkDir(fsys, folder, func(name string, e fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")),
			base == "testdata":
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir() && path.Ext(name) == ".go":
			files = append(files, name)
		}
		return nil
	})
	return files, err
}
