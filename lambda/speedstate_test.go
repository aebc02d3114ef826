package lambda

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the speed layer remembers open windows and nothing else, however long the log is,
// and forgets cars that have gone. (Invariant 8.)
func TestMemoryIsBoundedByOpenWindows(t *testing.T) {
	cfg := testConfig(t)
	h := emptyHandover(cfg, 0)
	h.cars = []string{"car-gone"}
	h.readings = []handedReading{{car: 0, seq: 5, windowStart: 1_000_000}}
	g := newGeneration(cfg, h, schemas{})
	// Open are the windows that reach into the lateness and the disorder behind the newest event,
	// and the one that the newest event is in.
	open := int((cfg.Rules.AllowedLateness+cfg.Rules.DisorderBound)/cfg.Rules.Window) + 2
	var offset int64
	for seq := range int64(500) {
		for car := range 3 {
			r := recordOf(t, measured(carName(car), seq, 1_000_000+seq*1000))
			r.Offset = offset
			offset++
			require.NoError(t, g.judge(&r))
		}
		g.flushed()
		for _, c := range g.cars {
			require.LessOrEqual(t, len(c.open), open)
		}
	}
	require.Len(t, g.cars, 3)
	require.Empty(t, g.changed)
}
