package systemtest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// Ensure that both sides answer every transcript as it is written.
func TestTranscripts(t *testing.T) { playAll(t, "testdata/*.txt") }

// Ensure that wrong answers are found.
func TestBrokenTranscripts(t *testing.T) { playAll(t, "testdata/broken/*.txt") }

func playAll(t *testing.T, pattern string) {
	t.Parallel()
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			playFile(t, file)
		})
	}
}

func playFile(t *testing.T, file string) {
	s := newScript(t)
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
	dir := t.TempDir()
	broker, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: filepath.Join(dir, "broker")})
	require.NoError(t, err)
	s := &script{ctx: t.Context(), broker: broker, dir: dir}
	t.Cleanup(func() {
		require.NoError(t, s.close())
		require.NoError(t, broker.Close())
	})
	return s
}
