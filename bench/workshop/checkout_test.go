package workshop

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// copyOfSource is a checkout without git, in a path with spaces, that has no more than a task needs.
func copyOfSource(t *testing.T, lineEnds string) *Checkout {
	dir := filepath.Join(t.TempDir(), "a folder with spaces")
	for _, pattern := range []string{"go.mod", "lambda/*.go", "kappa/*.go"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, from := range found {
			text, err := os.ReadFile(from)
			require.NoError(t, err)
			name, err := filepath.Rel(root, from)
			require.NoError(t, err)
			text = bytes.ReplaceAll(text, []byte("\n"), []byte(lineEnds))
			require.NoError(t, writeWhole(filepath.Join(dir, name), text))
		}
	}
	c, err := OpenCheckout(filepath.Join(dir, "lambda"))
	require.NoError(t, err)
	return c
}

// tree is every file of the checkout but what the workshop keeps beside it.
func (c *Checkout) tree(t *testing.T) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(c.root, func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			if d.Name() == keepFolder {
				return fs.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all[name] = string(text)
		return nil
	}))
	return all
}

// edit appends a line to a file, as somebody who works on it.
func (c *Checkout) edit(t *testing.T, file, line string) string {
	text, err := os.ReadFile(c.in(file))
	require.NoError(t, err)
	changed := string(text) + line + "\n"
	require.NoError(t, os.WriteFile(c.in(file), []byte(changed), 0o644))
	return changed
}

func (c *Checkout) read(t *testing.T, file string) string {
	text, err := os.ReadFile(c.in(file))
	require.NoError(t, err)
	return string(text)
}

func (c *Checkout) isKept() bool {
	_, err := os.Stat(filepath.Join(c.root, keepFolder))
	return err == nil
}

// Ensure that every task changes the source, and that reset brings it back byte by byte and leaves nothing, whatever the
// line ends are.
func TestStartAndReset(t *testing.T) {
	for _, ends := range []string{"\n", "\r\n"} {
		c := copyOfSource(t, ends)
		before := c.tree(t)
		for _, e := range tasks(t) {
			changed, err := c.Start(e)
			require.NoError(t, err)
			require.NotEmpty(t, changed)
			for _, file := range changed {
				now := c.read(t, file)
				require.NotEqual(t, before[c.in(file)], now, file)
				require.Equal(t, ends == "\r\n", strings.Contains(now, "\r\n"), "%s: line ends", file)
				require.Equal(t, strings.Count(now, "\n"), strings.Count(now, ends), "%s: line ends", file)
			}
			n, err := c.Begun()
			require.NoError(t, err)
			require.Equal(t, e.Number, n)
			attempt, err := c.Reset()
			require.NoError(t, err)
			require.Empty(t, attempt)
			require.Equal(t, before, c.tree(t), e.Page)
			require.False(t, c.isKept())
		}
		_, err := c.Reset()
		require.NoError(t, err, "there is nothing to do")
	}
}

// Ensure that a task can be begun while another one is, or the same, as long as nobody has changed anything.
func TestStartAfterStart(t *testing.T) {
	c := copyOfSource(t, "\n")
	before := c.tree(t)
	for range 2 {
		for _, e := range tasks(t) {
			_, err := c.Start(e)
			require.NoError(t, err)
			_, err = c.Start(e)
			require.NoError(t, err)
		}
	}
	_, err := c.Reset()
	require.NoError(t, err)
	require.Equal(t, before, c.tree(t))
}

// Ensure that a file that is not as the workshop knows it stops a task before anything is changed.
func TestStartRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, e := range tasks(t) {
		edits, err := editsOf(e)
		require.NoError(t, err)
		for _, file := range files(edits) {
			c := copyOfSource(t, "\n")
			c.edit(t, file, "// mine")
			before := c.tree(t)
			_, err := c.Start(e)
			require.ErrorContains(t, err, file+" is not as the workshop knows it")
			require.Equal(t, before, c.tree(t))
			require.False(t, c.isKept())
		}
	}
}

// Ensure that an attempt stops the next start, and is kept by reset, in other files of the side as well.
func TestAttemptsAreKept(t *testing.T) {
	c := copyOfSource(t, "\n")
	before := c.tree(t)
	e := tasks(t)[0]
	changed, err := c.Start(e)
	require.NoError(t, err)
	mine := c.edit(t, changed[0], "// mine")
	also := c.edit(t, "lambda/doc.go", "// mine too")
	require.NoError(t, os.WriteFile(c.in("lambda/new.go"), []byte("package lambda\n"), 0o644))

	_, err = c.Start(tasks(t)[1])
	require.ErrorContains(t, err, changed[0]+" has changes of yours")
	require.Equal(t, mine, c.read(t, changed[0]))

	foreign, err := c.Foreign()
	require.NoError(t, err)
	require.Equal(t, []string{"lambda/new.go"}, foreign)

	attempt, err := c.Reset()
	require.NoError(t, err)
	for file, want := range map[string]string{changed[0]: mine, "lambda/doc.go": also} {
		kept, err := os.ReadFile(filepath.Join(attempt, file))
		require.NoError(t, err)
		require.Equal(t, want, string(kept))
	}
	before[c.in("lambda/new.go")] = "package lambda\n"
	require.Equal(t, before, c.tree(t))
	n, err := c.Begun()
	require.NoError(t, err)
	require.Zero(t, n)
}

// Ensure that solving puts the source in place as it was, keeps the attempt, and leaves the way back.
func TestSolve(t *testing.T) {
	c := copyOfSource(t, "\n")
	before := c.tree(t)
	e := tasks(t)[0]
	_, err := c.Solve()
	require.ErrorContains(t, err, "no code task was begun")
	changed, err := c.Start(e)
	require.NoError(t, err)
	mine := c.edit(t, changed[0], "// mine")
	attempt, err := c.Solve()
	require.NoError(t, err)
	require.Equal(t, before, c.tree(t))
	kept, err := os.ReadFile(filepath.Join(attempt, changed[0]))
	require.NoError(t, err)
	require.Equal(t, mine, string(kept))

	again := c.edit(t, changed[0], "// mine, later")
	second, err := c.Reset()
	require.NoError(t, err)
	require.NotEqual(t, attempt, second)
	kept, err = os.ReadFile(filepath.Join(second, changed[0]))
	require.NoError(t, err)
	require.Equal(t, again, string(kept))
	require.Equal(t, before, c.tree(t))
}

// Ensure that a file that was deleted comes back.
func TestResetBringsDeletedFilesBack(t *testing.T) {
	c := copyOfSource(t, "\n")
	before := c.tree(t)
	changed, err := c.Start(tasks(t)[0])
	require.NoError(t, err)
	require.NoError(t, os.Remove(c.in(changed[0])))
	_, err = c.Reset()
	require.NoError(t, err)
	require.Equal(t, before, c.tree(t))
}

// Ensure that a start that was cut off before it had said what it begins is none.
func TestStartAfterOneThatWasCutOff(t *testing.T) {
	c := copyOfSource(t, "\n")
	before := c.tree(t)
	require.NoError(t, writeWhole(c.kept(original+"lambda/batch.go"), []byte("half of it")))
	_, err := c.Start(tasks(t)[0])
	require.NoError(t, err)
	_, err = c.Reset()
	require.NoError(t, err)
	require.Equal(t, before, c.tree(t))
}

func TestOpenCheckoutOutsideOfTheSource(t *testing.T) {
	_, err := OpenCheckout(t.TempDir())
	require.ErrorContains(t, err, "run this inside the folder that has go.mod")
}
