package live

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that who takes several parts gets all of them or none, so that a part is stopped and started by one button alone.
func TestHoldsAllOrNothing(t *testing.T) {
	b := idle(t).buttons
	require.True(t, b.hold(batchPart))
	require.False(t, b.hold(speedPart, batchPart), "somebody has the batch layer")
	require.True(t, b.hold(speedPart), "nothing was taken of what could not be had as a whole")
	b.release(speedPart, batchPart)
	require.True(t, b.hold(batchPart, speedPart))
}
