package datagen_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

type reading struct {
	car string
	seq int64
}

// collect reads a stream to its end, with every payload encoded.
func collect(spec datagen.Spec) (all []datagen.Planned, values [][]byte) {
	st, enc := spec.Stream(), event.NewEncoder(1, 2)
	var p datagen.Planned
	for st.Next(&p) {
		value, err := p.Append(nil, enc)
		if err != nil {
			panic(err)
		}
		p.Corrupt = nil // it is valid until the next event only
		all, values = append(all, p), append(values, value)
	}
	return all, values
}

func anyDisturbances(t *rapid.T) datagen.Disturbances {
	rate := rapid.Float64Range(0, 0.15)
	return datagen.Disturbances{
		OutOfOrder: rate.Draw(t, "out-of-order"), Late: rate.Draw(t, "late"),
		Duplicates: rate.Draw(t, "duplicates"), Conflicts: rate.Draw(t, "conflicts"),
		Malformed: rate.Draw(t, "malformed"), Skew: rate.Draw(t, "skew"),
		Silent: rate.Draw(t, "silent"), SilentFor: 20 * time.Second,
	}
}

func TestWhateverIsDisturbedNoReadingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := anySpec(t)
		bursts := spec.Disturbances
		spec.Disturbances = anyDisturbances(t)
		spec.BurstFactor, spec.BurstEvery, spec.BurstLength =
			bursts.BurstFactor, bursts.BurstEvery, bursts.BurstLength
		seen := map[reading]bool{}
		last := int64(-1)
		all, _ := collect(spec)
		for _, p := range all {
			require.Greater(t, p.Intended, last)
			last = p.Intended
			id := reading{p.Event.CarID, p.Event.Seq}
			if !p.Kind.Extra() {
				require.False(t, seen[id], "%v is sent twice as %s", id, p.Kind)
				seen[id] = true
			} else {
				require.True(t, seen[id], "%s of %v before the reading", p.Kind, id)
			}
		}
		require.EqualValues(t, spec.Events(), len(seen))
	})
}

// Ensure that every disturbance does what its field says, at its rate.
func TestDisturbancesKeepTheirPromises(t *testing.T) {
	spec := fleet(6, 250, 3*time.Minute)
	spec.Disturbances = datagen.BadDay()
	spec.Conflicts, spec.Malformed, spec.Skew = 0.01, 0.01, 0.01
	all, values := collect(spec)

	clean := map[reading]event.CarSensor{}
	for car := range spec.Cars {
		for seq := range int64(180) {
			e, _ := spec.Reading(car, seq)
			clean[reading{e.CarID, seq}] = e
		}
	}
	kinds := map[datagen.Kind]int{}
	bands := map[time.Duration]int{}
	sent := map[reading][]byte{}
	decoder := event.NewDecoder(oneSchema{})
	last := int64(-1)
	for i, p := range all {
		// Delays are whole milliseconds, like this fleet's sends: many of them meet.
		require.Greater(t, p.Intended, last)
		last = p.Intended
		kinds[p.Kind]++
		id := reading{p.Event.CarID, p.Event.Seq}
		want := clean[id]
		delay := time.Duration(p.Intended - want.EventTime*1e6).Truncate(time.Millisecond)
		var decoded event.CarSensor
		err := decoder.Decode([]byte(p.Event.CarID), values[i], &decoded)
		if p.Kind == datagen.Malformed {
			var reject *event.Reject
			require.True(t, errors.As(err, &reject), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, p.Event, decoded)
		switch p.Kind {
		case datagen.Clean:
			require.Equal(t, want, p.Event)
			require.Zero(t, delay)
		case datagen.OutOfOrder:
			require.Equal(t, want, p.Event)
			require.True(t, delay >= 100*time.Millisecond && delay <= 1901*time.Millisecond, "%s", delay)
		case datagen.Late:
			require.Equal(t, want, p.Event)
			bands[band(delay)]++
		case datagen.Skewed:
			require.Greater(t, p.Event.EventTime, want.EventTime+9_999)
			require.Error(t, event.DefaultRules().CheckSkew(p.Event.EventTime, p.Intended/1e6))
		case datagen.Duplicate:
			require.Equal(t, sent[id], values[i])
		case datagen.Conflict:
			require.NotEqual(t, sent[id], values[i])
		}
		if !p.Kind.Extra() {
			sent[id] = values[i]
		}
	}
	near := func(rate float64, n int, what string) {
		require.InEpsilon(t, rate*float64(spec.Events()), n, 0.15, what)
	}
	near(0.05, kinds[datagen.OutOfOrder], "out of order")
	for _, b := range datagen.LateBands {
		near(0.01, bands[b], b.String())
	}
	near(0.02, kinds[datagen.Duplicate], "duplicates")
	near(0.01, kinds[datagen.Conflict], "conflicts")
	near(0.01, kinds[datagen.Malformed], "malformed")
	near(0.01, kinds[datagen.Skewed], "skewed")
}

// band returns the late band of a delay, 0 for none.
func band(delay time.Duration) time.Duration {
	for _, b := range datagen.LateBands {
		if delay >= b && delay <= b+b/10+time.Millisecond {
			return b
		}
	}
	return 0
}

// Ensure that malformed payloads meet every test that a decoder makes.
func TestMalformedPayloadsGiveEveryReasonOfADecoder(t *testing.T) {
	spec := fleet(6, 100, time.Minute)
	spec.Malformed = 0.1
	all, values := collect(spec)
	decoder := event.NewDecoder(oneSchema{})
	reasons := map[event.Reason]int{}
	for i, p := range all {
		var e event.CarSensor
		var reject *event.Reject
		if err := decoder.Decode([]byte(p.Event.CarID), values[i], &e); errors.As(err, &reject) {
			reasons[reject.Reason]++
		}
	}
	for _, reason := range event.Reasons[:len(event.Reasons)-1] { // all but future
		require.NotZero(t, reasons[reason], reason)
	}
}

// oneSchema is a registry that holds the cars' schema under id 1.
type oneSchema struct{}

func (oneSchema) SchemaByID(id uint32) (string, error) {
	if id != 1 {
		return "", event.ErrNoSchema
	}
	return event.Schema, nil
}

// Ensure that no disturbance moves the events of another: comparing two runs that differ in one
// rate shows that rate's effect and nothing else.
func TestRatesAreIndependent(t *testing.T) {
	count := func(d datagen.Disturbances) map[datagen.Kind]map[reading]int64 {
		spec := fleet(6, 100, time.Minute)
		spec.Disturbances = d
		all, _ := collect(spec)
		kinds := map[datagen.Kind]map[reading]int64{}
		for _, p := range all {
			if kinds[p.Kind] == nil {
				kinds[p.Kind] = map[reading]int64{}
			}
			kinds[p.Kind][reading{p.Event.CarID, p.Event.Seq}] = p.Event.EventTime
		}
		return kinds
	}
	all := count(datagen.BadDay())
	require.Equal(t, count(datagen.Disturbances{OutOfOrder: 0.05})[datagen.OutOfOrder],
		all[datagen.OutOfOrder])
	require.Equal(t, count(datagen.Disturbances{Duplicates: 0.02})[datagen.Duplicate],
		all[datagen.Duplicate])
	require.Equal(t, count(datagen.Disturbances{Malformed: 0.001})[datagen.Malformed],
		all[datagen.Malformed])
}

// Ensure that one disturbance does not say where another will be: together they meet as often as
// chance lets them.
func TestDisturbancesAreUncorrelated(t *testing.T) {
	const rate = 0.2
	spec := fleet(6, 100, 200*time.Second)
	spec.OutOfOrder, spec.Duplicates, spec.Conflicts = rate, rate, rate
	all, _ := collect(spec)
	hit := map[datagen.Kind]map[reading]bool{
		datagen.OutOfOrder: {}, datagen.Duplicate: {}, datagen.Conflict: {},
	}
	for _, p := range all {
		if p.Kind != datagen.Clean {
			hit[p.Kind][reading{p.Event.CarID, p.Event.Seq}] = true
		}
	}
	for a := range hit {
		for b := range hit {
			for shift := int64(-6); shift <= 6 && a != b; shift++ {
				both := 0
				for r := range hit[a] {
					if hit[b][reading{r.car, r.seq + shift}] {
						both++
					}
				}
				require.InEpsilon(t, rate*rate*float64(spec.Events()), both, 0.15, "%s, %s, %d", a, b, shift)
			}
		}
	}
}

func TestSilentCarsUploadEverythingAtOnce(t *testing.T) {
	spec := fleet(6, 100, 10*time.Minute)
	spec.Silent, spec.SilentFor = 0.1, 2*time.Minute
	all, _ := collect(spec)
	uploaded := 0
	for _, p := range all {
		delay := p.Intended - p.Event.EventTime*1e6
		if p.Kind == datagen.Uploaded {
			uploaded++
			require.LessOrEqual(t, delay, int64(spec.SilentFor)+int64(spec.SilentFor)/1000+1e6)
		} else {
			require.Less(t, delay, int64(1e6))
		}
	}
	require.InDelta(t, 0.1, float64(uploaded)/float64(spec.Events()), 0.03)
}
