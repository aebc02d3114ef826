package fault

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var components = []string{"kappa process", "kappa serve", "lambda speed"}

const minute = time.Minute

// settings are faults as a scenario holds them.
type settings struct {
	Faults []Step
	Random Random
}

func read(t *testing.T, text string) settings {
	t.Helper()
	var s settings
	require.NoError(t, yaml.UnmarshalWithOptions([]byte(text), &s, yaml.Strict()))
	return s
}

const everything = `faults:
  - {at: 1s, do: kill, target: kappa process}
  - {at: 2s, do: stop, target: lambda speed, for: 8s}
  - {at: 3s, do: restart, target: kappa serve, for: 1s}
  - {at: 20s, do: broker-down, for: 3s}
  - {at: 20s, do: slow-disk, for: 3s, bytes_per_second: 1000000}
  - {at: 20s, do: delay, target: kappa process, for: 3s, delay: 20ms}
  - {at: 30s, do: cut, for: 1s}
  - {at: 32s, do: retention, older_than: 10s}
  - {at: 33s, do: retention, share: 0.5}
  - {at: 59s, do: compact}
`

// Ensure that a printed plan is the plan: a scenario that holds it has the same faults.
func TestFormat(t *testing.T) {
	s := read(t, everything+"random: {kills: 7}\n")
	plan, err := Plan(s.Faults, s.Random, 5, components, minute)
	require.NoError(t, err)
	require.Len(t, plan, 17)
	printed := read(t, "faults:\n"+Format(plan))
	require.Equal(t, plan, printed.Faults)
	again, err := Plan(printed.Faults, Random{}, 6, components, minute)
	require.NoError(t, err)
	require.Equal(t, plan, again)
}

// Ensure that a scenario without faults has none, whatever is sent.
func TestNone(t *testing.T) {
	plan, err := Plan(nil, Random{}, 1, nil, 0)
	require.NoError(t, err)
	require.Empty(t, plan)
}

// Ensure that what cannot work is refused with its field and what it takes.
func TestValidateRefuses(t *testing.T) {
	f := func(from, to, want string) {
		t.Helper()
		require.Contains(t, everything, from)
		s := read(t, strings.Replace(everything, from, to, 1))
		err := Validate(s.Faults, s.Random, components, minute)
		assert.EqualError(t, err, want)
	}
	f("do: kill", "do: murder", `faults[0].do: "murder" is none of kill, stop, restart, join, leave, broker-down, broker-stop, broker-cut, broker-full, broker-restart, broker-join, slow-disk, delay, cut, retention, compact`)
	f("target: kappa process}", "target: kappa}", `faults[0].target: "kappa" is none of kappa process, kappa serve, lambda speed`)
	f("do: kill, target: kappa process", "do: kill", `faults[0].target: must be given: kill takes a component such as "kappa process"`)
	f("target: kappa process}", "target: kappa process, delay: 1s}", `faults[0].delay: kill takes none`)
	f("at: 1s", "at: -1s", `faults[0].at: -1s: must not be negative`)
	f("at: 59s", "at: 60s", `faults[9].at: 1m0s: the workload is sent within 1m0s`)
	f("target: lambda speed, for: 8s", "target: lambda speed, for: 59s", `faults[1].for: 59s from 2s on: the workload is sent within 1m0s`)
	f("target: lambda speed, for: 8s", "target: lambda speed", `faults[1].for: must be given: stop takes how long it lasts, such as 8s`)
	f("target: lambda speed, for: 8s", "target: lambda speed, for: -8s", `faults[1].for: must be above 0: stop takes how long it lasts, such as 8s`)
	f("target: kappa serve", "target: lambda speed", `faults[2].at: restart lambda speed at 3s overlaps faults[1] (stop lambda speed, from 2s to 10s): it is stopped then`)
	f("at: 3s, do: restart", "at: 22s, do: restart", `faults[3].at: broker-down at 20s overlaps faults[2] (restart kappa serve, from 22s to 23s): nothing can start without its broker`)
	f("do: compact", "do: compact, target: kappa serve", `faults[9].target: "kappa serve": compact happens to the broker`)
	f("at: 32s, do: retention", "at: 21s, do: retention", `faults[7].at: retention at 21s overlaps faults[3] (broker-down, from 20s to 23s): one at a time on one target`)
	f("at: 30s, do: cut", "at: 21s, do: cut", `faults[6].at: cut at 21s overlaps faults[5] (delay kappa process, from 20s to 23s): one at a time on one target`)
	f("share: 0.5", "share: 1.5", `faults[8].share: 1.5: must be above 0 and at most 1`)
	f("share: 0.5", "share: 0.5, older_than: 1s", `faults[8].older_than: retention takes either older_than or share`)
	f("bytes_per_second: 1000000", "bytes_per_second: -1", `faults[4].bytes_per_second: must be above 0: slow-disk takes a number of bytes`)
}

// Ensure the same of what is drawn by chance.
func TestRandomRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Plan(nil, read(t, "random: "+text).Random, 1, components, minute)
		var e *Error
		require.True(t, errors.As(err, &e), "%v", err)
		assert.EqualError(t, err, want)
	}
	f("{kills: -1}", "random.kills: -1: must not be negative")
	f("{targets: [kappa serve]}", "random.kills: random takes one of kills, each and every")
	f("{kills: 1, every: 1s}", "random.kills: random takes one of kills, each and every")
	f("{kills: 1, from: 1m}", "random.from: 1m0s: must be within the 1m0s in which the workload is sent")
	f("{kills: 1, from: 9s, until: 8s}", "random.until: 8s: must be after from (9s)")
	f("{kills: 1, until: 2m}", "random.until: 2m0s: the workload is sent within 1m0s")
	f("{every: 30s, from: 40s}", "random.every: 30s: is longer than the 20s in which it may happen")
	f("{kills: 1, targets: [kappa serve, gamma]}", `random.targets[1]: "gamma" is none of kappa process, kappa serve, lambda speed`)

	down := []Step{{Do: BrokerDown, At: time.Millisecond, For: minute - time.Millisecond}}
	_, err := Plan(down, Random{Kills: 3, From: time.Second}, 1, components, minute)
	require.EqualError(t, err, "random.kills: kill lambda speed finds no room beside the other faults: take fewer")
	_, err = Plan(nil, Random{Kills: 1}, 1, components, 0)
	require.ErrorContains(t, err, "speedup above 0")
}

// Ensure that one seed is one plan, that everybody has a turn, that nothing is outside of its time
// and that no plan contradicts itself.
func TestPlanBySeed(t *testing.T) {
	steps := []Step{
		{Do: BrokerDown, At: 10 * time.Second, For: 5 * time.Second},
		{Do: Stop, Target: "kappa process", At: 30 * time.Second, For: 8 * time.Second},
	}
	random := Random{Each: 3, From: 2 * time.Second, Until: 58 * time.Second}
	different := map[string]bool{}
	for range 200 {
		seed := rand.Uint64()
		plan, err := Plan(steps, random, seed, components, minute)
		require.NoError(t, err, "seed %d", seed)
		again, err := Plan(steps, random, seed, components, minute)
		require.NoError(t, err)
		require.Equal(t, plan, again, "seed %d", seed)
		different[Format(plan)] = true

		kills := map[string]int{}
		for i, s := range plan {
			if s.Do == Kill {
				kills[s.Target]++
				require.GreaterOrEqual(t, s.At, random.From)
				require.Less(t, s.At, random.Until)
			}
			if i > 0 {
				require.GreaterOrEqual(t, s.At, plan[i-1].At)
			}
			for _, o := range plan[:i] {
				require.False(t, s.contradicts(o), "seed %d: %s, %s", seed, s, o)
			}
		}
		require.Equal(t, map[string]int{"kappa process": 3, "kappa serve": 3, "lambda speed": 3}, kills)
	}
	require.Len(t, different, 200)
	every, err := Plan(nil, Random{Every: 7 * time.Second}, 1, components, minute)
	require.NoError(t, err)
	require.Len(t, every, 8)
}

// Ensure that a broker may be among those who die, and that nobody is started while it is away.
func TestPlanOfBrokers(t *testing.T) {
	random := Random{Kills: 20, Targets: []string{Broker, "kappa process"}}
	for seed := range uint64(50) {
		plan, err := Plan(nil, random, seed, components, minute)
		require.NoError(t, err)
		died := map[string]int{}
		for i, s := range plan {
			died[s.Do]++
			require.Equal(t, s.Do == BrokerDown, s.For == brokerAway)
			for _, o := range plan[:i] {
				require.False(t, s.contradicts(o), "seed %d: %s, %s", seed, s, o)
			}
		}
		require.Equal(t, map[string]int{BrokerDown: 10, Kill: 10}, died)
	}
}

// Ensure that what happens to one target happens one after the other, and to different ones at the
// same time.
func TestLanes(t *testing.T) {
	a := Step{At: 1, Do: Kill, Target: "a"}
	b := Step{At: 2, Do: Kill, Target: "b"}
	slow := Step{At: 3, Do: Delay, Target: "a", For: 9}
	stop := Step{At: 4, Do: Stop, Target: "a", For: 1}
	down := Step{At: 6, Do: BrokerDown, For: 1}
	forget := Step{At: 8, Do: Retention, Share: 1, Target: Broker}
	require.Equal(t, [][]Step{{a, stop}, {b}, {slow}, {down, forget}},
		Lanes([]Step{a, b, slow, stop, down, forget}))
	require.Empty(t, Lanes(nil))
}

// Ensure that nobody leaves who has not joined.
func TestLeaveRefuses(t *testing.T) {
	join := func(at time.Duration, target string) Step { return Step{At: at, Do: Join, Target: target} }
	leave := func(at time.Duration, target string) Step { return Step{At: at, Do: Leave, Target: target} }
	f := func(want string, steps ...Step) {
		t.Helper()
		err := Validate(steps, Random{}, components, minute)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, want)
	}
	a, b := components[0], components[1]
	f("", join(time.Second, a), join(2*time.Second, a), leave(3*time.Second, a), leave(4*time.Second, a))
	f("", leave(3*time.Second, a), join(time.Second, a))
	f("faults[0].do: leave "+a+" at 1s: nobody has joined that is still there", leave(time.Second, a))
	f("faults[1].do: leave "+b+" at 2s: nobody has joined that is still there", join(time.Second, a), leave(2*time.Second, b))
	f("faults[2].do: leave "+a+" at 3s: nobody has joined that is still there",
		join(time.Second, a), leave(2*time.Second, a), leave(3*time.Second, a))
}
