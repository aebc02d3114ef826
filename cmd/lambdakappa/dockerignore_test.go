package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ignoredBy says which of the lines of a .dockerignore leaves a file out of the image's source; "" for none. The last line
// that speaks of the file or of a folder above it decides.
func ignoredBy(t *testing.T, rules []byte, file string) (by string) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(rules))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rule, back := strings.CutPrefix(line, "!")
		for name := file; name != "."; name = path.Dir(name) {
			matches, err := path.Match(rule, name)
			require.NoError(t, err)
			if matches && back {
				by = ""
			} else if matches {
				by = line
			}
		}
	}
	return by
}

// Ensure that the image's build has every file that the program is built from, embedded ones among them.
func TestImageHasItsSource(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	rules, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	out, err := exec.Command("go", "list", "-deps", "-json=Dir,GoFiles,EmbedFiles", ".").Output()
	require.NoError(t, err)
	files := 0
	for packages := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir                 string
			GoFiles, EmbedFiles []string
		}
		err := packages.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil || !filepath.IsLocal(dir) {
			continue // of another module
		}
		for _, name := range append(p.GoFiles, p.EmbedFiles...) {
			file := path.Join(filepath.ToSlash(dir), name)
			require.Empty(t, ignoredBy(t, rules, file), file)
			files++
		}
	}
	require.Greater(t, files, 100)
	require.Equal(t, "results/*", ignoredBy(t, rules, "results/20260101T000000Z/_code/lambda/batch.go"))
	require.Equal(t, "bin", ignoredBy(t, rules, "bin/lambdakappa"))
	require.Equal(t, "results", ignoredBy(t, []byte("results\n"), "results/results.go"))
}
