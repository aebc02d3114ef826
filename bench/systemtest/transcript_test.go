package systemtest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog/logtest"
)

// Ensure that both sides answer every transcript as it is written.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	playAll(t, "testdata/*.txt", "at-least-once")
}

// Ensure that they do so with transactions, too, where anything is interrupted, repeated or handed over:
// what else is written takes the same way whatever the guarantee, and random scripts draw it.
func TestTranscriptsExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kills", "restore", "partitions", "duplicates", "trips", "deploy"} {
		playAll(t, "testdata/"+name+".txt", "exactly-once")
	}
}

// Ensure that wrong answers are found.
func TestBrokenTranscripts(t *testing.T) {
	t.Parallel()
	playAll(t, "testdata/broken/*.txt", "at-least-once")
}

func playAll(t *testing.T, pattern, guarantee string) {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			playFile(t, file, guarantee)
		})
	}
}

func playFile(t *testing.T, file, guarantee string) {
	s := newScript(t)
	s.guarantee = guarantee
	datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
		c := command{name: d.Cmd, args: map[string]string{}, input: d.Input}
		for _, arg := range d.CmdArgs {
			if len(arg.Vals) == 0 {
				c.words = append(c.words, arg.Key)
			} else {
				c.args[arg.Key] = strings.Join(arg.Vals, ", ")
			}
		}
		out, err := s.play(c)
		if err != nil {
			d.Fatalf(t, "%s: %v", d.Cmd, err)
		}
		return out
	})
}

// newScript returns a script on a broker of its own; both end with the test.
func newScript(t *testing.T) *script {
	s := &script{ctx: t.Context(), log: logtest.Config(t), dir: t.TempDir()}
	t.Cleanup(func() { require.NoError(t, s.close()) })
	return s
}
