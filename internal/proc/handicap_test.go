package proc_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/proc"
)

// Ensure that a handicap takes what it says: half of the work's CPU once more.
func TestHandicap(t *testing.T) {
	require.ErrorContains(t, proc.Handicap(0), "handicap 0: must be above 0")
	cmd, _ := start(t, "handicapped")
	require.NoError(t, cmd.Wait())
	plain, _ := start(t, "working")
	require.NoError(t, plain.Wait())
	took := func(s *os.ProcessState) time.Duration { return s.UserTime() + s.SystemTime() }
	ratio := float64(took(cmd.ProcessState)) / float64(took(plain.ProcessState))
	require.Greater(t, ratio, 1.25, "a half more")
	require.Less(t, ratio, 2.0, "and nothing near twice as much")
}
