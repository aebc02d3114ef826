package codesize

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the change from v1 to v2 touches each side's own code and nothing that they share:
// otherwise the cost of the change would hide in the shared column. No string of event, view or
// internal names a version of the logic, and nothing in them is marked as part of that change.
func TestSharedCodeKnowsNoVersion(t *testing.T) {
	root, err := Root(".")
	require.NoError(t, err)
	fsys := os.DirFS(root)
	for _, folder := range columns["shared"] {
		files, err := sourceFiles(fsys, folder)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue // a test may need any version's name as an example
			}
			source, err := os.ReadFile(root + "/" + file)
			require.NoError(t, err)
			require.Empty(t, versionsNamed(t, source), file)
			found, err := places(file, source)
			require.NoError(t, err)
			require.False(t, slices.ContainsFunc(found, func(p place) bool { return p.change == "bugfix" }), file)
		}
	}
}

// Ensure that the rule above can fail.
func TestVersionsNamed(t *testing.T) {
	require.Equal(t, []string{"v2"}, versionsNamed(t, []byte(`package p; var x = "v2"`)))
	require.Equal(t, []string{"v4"}, versionsNamed(t, []byte(`package p; var x = "v4"`)))
	require.Empty(t, versionsNamed(t, []byte(`package p; var path = "/v1/windows"`)))
}

// versionsNamed lists the string literals that are exactly a version's name. The API's own
// version is part of a path ("/v1/windows") and is another matter.
func versionsNamed(t *testing.T, source []byte) []string {
	tree, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	require.NoError(t, err)
	var named []string
	ast.Inspect(tree, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if s, _ := strconv.Unquote(literal.Value); len(s) == 2 && s[0] == 'v' && s[1] >= '1' && s[1] <= '9' {
			named = append(named, s)
		}
		return true
	})
	return named
}
