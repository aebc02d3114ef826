package report

import (
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/codesize"
	"lambdakappa/bench/result"
)

// ownSource is the project's own source as it is counted now.
func ownSource(t *testing.T) (map[string]result.CodeSize, fs.FS) {
	t.Helper()
	root := os.DirFS("../..")
	sizes, err := codesize.Count(root)
	require.NoError(t, err)
	return sizes, root
}

// Ensure that what a reader sees is what was counted: the last number before a line is the figure, and every byte of the
// file is there.
func TestPairsShowWhatWasCounted(t *testing.T) {
	sizes, root := ownSource(t)
	all := pairs(sizes, root)
	require.Len(t, all, len(roles))
	for _, p := range all {
		for _, s := range p.Sides {
			if s.File == "" {
				require.Contains(t, s.Missing, "no file with this role")
				require.NotEmpty(t, p.Lesson, "what only one side has is a lesson: %s", p.Role)
				continue
			}
			require.Empty(t, s.Missing)
			raw, err := fs.ReadFile(root, s.File)
			require.NoError(t, err)
			require.Equal(t, string(raw), html.UnescapeString(regexp.MustCompile(`</?span[^>]*>`).ReplaceAllString(string(s.Code), "")))
			size, _ := sizeOf(sizes, s.File)
			numbers := strings.Fields(s.Numbers)
			require.Equal(t, strconv.Itoa(size.Lines), numbers[len(numbers)-1])
			require.Equal(t, strings.Count(string(raw), "\n"), strings.Count(s.Numbers, "\n"), "a number beside every line")
			lines := strings.Split(string(raw), "\n")
			for n, number := range strings.Split(s.Numbers, "\n") {
				line := strings.TrimSpace(lines[n])
				isCode := line != "" && !strings.HasPrefix(line, "//")
				require.True(t, isCode || number == "", "%s:%d", s.File, n+1)
			}
			require.Contains(t, s.Said, figure(float64(size.Statements))+" statements")
		}
	}
}

// Ensure that a source that is not the one that was counted is not shown beside its figures, and that a run that has kept
// none says nothing.
func TestPairsOfOtherSourcesAreNotShown(t *testing.T) {
	sizes, root := ownSource(t)
	raw, err := fs.ReadFile(root, "lambda/speed.go")
	require.NoError(t, err)
	code := fstest.MapFS{
		"lambda/speed.go":  {Data: append(raw, "\nvar more = 1\n"...)},
		"kappa/process.go": {Data: []byte("no Go")},
		"lambda/merge.go":  {Data: []byte(strings.ReplaceAll(mustRead(t, root, "lambda/merge.go"), "\n", "\r\n"))},
	}
	all := pairs(sizes, code)
	require.Len(t, all, 1, "merge.go alone is what was counted, whatever ends its lines")
	require.Equal(t, "lambda/merge.go", all[0].Sides[0].File)
	require.Contains(t, sourceOf(sizes, code, "lambda", "lambda/speed.go").Missing, "is not the file that was counted")
	require.Contains(t, sourceOf(sizes, code, "kappa", "kappa/process.go").Missing, "is not the file that was counted")
	require.Contains(t, sourceOf(sizes, code, "kappa", "kappa/state.go").Missing, "has kept no kappa/state.go")
	require.Empty(t, pairs(sizes, os.DirFS(t.TempDir()+"/"+CodeFolder)))
}

// keepSource leaves in dir what a run keeps of the source.
func keepSource(t *testing.T, dir string, root fs.FS) {
	t.Helper()
	for _, r := range roles {
		for _, file := range []string{r.lambda, r.kappa} {
			if file != "" {
				require.NoError(t, writeFile(filepath.Join(dir, CodeFolder, file), []byte(mustRead(t, root, file))))
			}
		}
	}
}

func mustRead(t *testing.T, fsys fs.FS, file string) string {
	t.Helper()
	raw, err := fs.ReadFile(fsys, file)
	require.NoError(t, err)
	return string(raw)
}

// Ensure that a role is called what the README calls it, with files that the README has there.
func TestRolesAreThoseOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	rows := map[string][2]string{}
	for line := range strings.Lines(string(readme)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			rows[strings.TrimSpace(cells[1])] = [2]string{cells[2], cells[3]}
		}
	}
	for _, r := range roles {
		does, _, _ := strings.Cut(r.does, ":")
		require.Contains(t, rows, does)
		for side, file := range []string{r.lambda, r.kappa} {
			if file != "" {
				require.Contains(t, rows[does][side], "`"+file[strings.Index(file, "/")+1:]+"`", does)
			}
		}
	}
}
