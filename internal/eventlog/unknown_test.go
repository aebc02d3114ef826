package eventlog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that an id that the registry did not know is asked for again after a while, and that broken events, which have any, do
// not fill the memory.
func TestUnknownSchemasAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u unknownSchemas
		require.False(t, u.has(7))
		u.note(7)
		require.True(t, u.has(7))
		require.False(t, u.has(8))
		time.Sleep(unknownFor)
		require.False(t, u.has(7))
		for id := range uint32(10 * unknownMost) {
			u.note(id)
			require.LessOrEqual(t, len(u.asked), unknownMost)
		}
	})
}
