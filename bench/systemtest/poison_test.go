package systemtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that one event in a hundred that cannot be decoded, one with a schema id that nobody gave
// out and one with a clock in the future cost no other event, that each is a dead letter with its
// reason and place, and that all answers are right once they were re-driven: those that could be
// repaired are in them, the rest are still dead letters.
func TestPoison(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	const cars, seconds = 20, 150
	random := rand.New(rand.NewPCG(1, 1))
	var lines []string
	poisoned := map[string]int64{}
	for second := range seconds {
		for car := range cars {
			at := fmt.Sprintf("12:%02d:%02d", second/60, second%60)
			line := fmt.Sprintf("car=c%d seq=%d t=%s speed=%d", car, second, at, 1+second%30)
			switch random.IntN(100) {
			case 0:
				line = "broken=magic " + line
				poisoned["magic"]++
			case 1:
				line = "broken=truncated " + line
				poisoned["truncated"]++
			case 2:
				line = "broken=schema " + line
				poisoned["schema"]++
			case 3:
				line = strings.Replace(line, "t="+at, "t=13:00:00 append="+at, 1)
				poisoned["future"]++
			}
			lines = append(lines, line)
		}
	}
	require.Len(t, poisoned, 4)
	play := func(name string, args map[string]string, words ...string) string {
		t.Helper()
		out, err := s.play(command{name: name, args: args, words: words, input: strings.Join(lines, "\n")})
		require.NoError(t, err, name)
		return out
	}
	right := func() {
		t.Helper()
		play("settle", nil)
		require.Empty(t, play("check", nil))
		play("batch", nil)
		require.Empty(t, play("check", nil))
	}
	play("open", map[string]string{"partitions": "3"})
	play("send", nil)
	right()
	all := poisoned["magic"] + poisoned["truncated"] + poisoned["schema"] + poisoned["future"]

	out := play("redrive", map[string]string{"repair": "magic,clock,schema=2130706433:1"}, "kappa")
	require.Contains(t, out, fmt.Sprintf("letters=%d redriven=%d already=0 malformed=%d\n",
		all, all-poisoned["truncated"], poisoned["truncated"]))
	right()
	o, err := s.world.oracle()
	require.NoError(t, err)
	truth := o.Lambda(s.world.ends)
	require.Zero(t, truth.Counters.DroppedLate, "a batch knows no lateness")
	require.Equal(t, int64(cars*seconds)-poisoned["truncated"], readings(truth.Windows), "all that could be repaired is in the answers")
	require.Equal(t, poisoned["truncated"]+poisoned["magic"], truth.Counters.DeadLetters[event.ReasonMalformed])

	out = play("redrive", map[string]string{"repair": "magic,clock,schema=2130706433:1"}, "lambda")
	require.Contains(t, out, fmt.Sprintf("redriven=0 already=%d malformed=%d\n", all-poisoned["truncated"], poisoned["truncated"]))
}

func readings(windows []view.Window) (n int64) {
	for i := range windows {
		n += windows[i].Readings
	}
	return n
}
