package datagen_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/datagen"
	"lambdakappa/event"
)

func anySpec(t *rapid.T) datagen.Spec {
	cars := rapid.IntRange(1, 40).Draw(t, "cars")
	period := rapid.Float64Range(0.05, 20).Draw(t, "period")
	s := datagen.Spec{
		Seed: rapid.Uint64().Draw(t, "seed"), Cars: cars, Rate: float64(cars) / period,
		Duration: time.Duration(rapid.Int64Range(1, int64(3*time.Minute)).Draw(t, "duration")),
		Start:    time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "start")),
	}
	if rapid.Bool().Draw(t, "thermometer") {
		s.SchemaFrom = time.Duration(rapid.Int64Range(1, int64(3*time.Minute)).Draw(t, "schema from"))
	}
	if rapid.Bool().Draw(t, "bursts") {
		s.BurstFactor = rapid.Float64Range(1.1, 20).Draw(t, "factor")
		s.BurstEvery, s.BurstLength = 30*time.Second, 4*time.Second
	}
	return s
}

func TestEveryReadingCanBeRegeneratedAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := anySpec(t)
		require.NoError(t, spec.Validate())
		st := spec.Stream()
		var p datagen.Planned
		n, last := int64(0), spec.Start.UnixNano()-1
		for st.Next(&p) {
			car := int(n % int64(spec.Cars))
			want, labels := spec.Reading(car, n/int64(spec.Cars))
			require.Equal(t, want, p.Event)
			require.Equal(t, labels, p.Labels)
			require.Equal(t, spec.Intended(car, p.Event.Seq), p.Intended)
			require.Greater(t, p.Intended, last)
			n, last = n+1, p.Intended
		}
		require.Equal(t, spec.Events(), n)
		require.Less(t, last, spec.Start.Add(spec.Duration).UnixNano())
	})
}

// Ensure that cars measure the temperature outside from the moment on that the spec says, that only
// then the second version of the schema is written, and that nothing else changes by it.
func TestSchemaFrom(t *testing.T) {
	plain, spec := fleet(1, 20, time.Minute), fleet(1, 20, time.Minute)
	plain.Late, spec.Late = 0.2, 0.2
	spec.SchemaFrom = 30 * time.Second
	from := spec.Start.Add(spec.SchemaFrom).UnixMilli()
	enc := event.NewEncoder(1, 2)
	var want, p datagen.Planned
	written := map[byte]int{}
	back, last := 0, byte(1)
	for a, b := plain.Stream(), spec.Stream(); b.Next(&p); {
		require.True(t, a.Next(&want))
		require.Equal(t, p.Event.EventTime >= from, p.Event.AmbientTemp > 0)
		value, err := p.Append(nil, enc)
		require.NoError(t, err)
		id := value[4]
		written[id]++
		if id < last {
			back++
		}
		last = id
		p.Event.AmbientTemp = 0
		require.Equal(t, want.Event, p.Event)
	}
	require.Greater(t, written[1], 500)
	require.Greater(t, written[2], 500)
	require.Positive(t, back, "what is late was measured before the switch, and is written after it")
}

func TestSendsAreSpreadEvenlyOverThePeriod(t *testing.T) {
	spec := fleet(1, 1000, time.Minute)
	require.EqualValues(t, 60_000, spec.Events())
	require.Equal(t, spec.Start.UnixNano(), spec.Intended(0, 0))
	require.Equal(t, spec.Start.Add(999*time.Millisecond).UnixNano(), spec.Intended(999, 0))
	require.Equal(t, spec.Start.Add(59*time.Second).UnixNano(), spec.Intended(0, 59))
}

func TestBurstsRaiseTheRateAtTheEndOfEveryCycle(t *testing.T) {
	spec := fleet(1, 1000, time.Minute)
	spec.BurstFactor, spec.BurstEvery, spec.BurstLength = 10, 20*time.Second, 2*time.Second
	require.EqualValues(t, 3*(18_000+20_000), spec.Events())
	second := make([]int, 60)
	st := spec.Stream()
	var p datagen.Planned
	for st.Next(&p) {
		second[(p.Intended-spec.Start.UnixNano())/1e9]++
	}
	for i, n := range second {
		if i%20 < 18 {
			require.InDelta(t, 1_000, n, 2, "second %d", i)
		} else {
			require.InDelta(t, 10_000, n, 10, "second %d", i)
		}
	}
}

func TestValidateNamesTheField(t *testing.T) {
	f := func(want string, change func(*datagen.Spec)) {
		t.Helper()
		spec := fleet(1, 100, time.Minute)
		require.NoError(t, spec.Validate())
		change(&spec)
		require.ErrorContains(t, spec.Validate(), want)
	}
	f("cars 0:", func(s *datagen.Spec) { s.Cars = 0 })
	f("rate -1:", func(s *datagen.Spec) { s.Rate = -1 })
	f("rate NaN:", func(s *datagen.Spec) { s.Rate = math.NaN() })
	f("rate 200000:", func(s *datagen.Spec) { s.Rate = 200_000 })
	f("duration 0s:", func(s *datagen.Spec) { s.Duration = 0 })
	f("start", func(s *datagen.Spec) { s.Start = time.Time{} })
	f("out-of-order 1.5:", func(s *datagen.Spec) { s.OutOfOrder = 1.5 })
	f("late -0.1:", func(s *datagen.Spec) { s.Late = -0.1 })
	f("out-of-order + 4 x late + skew:", func(s *datagen.Spec) { s.Late = 0.3 })
	f("duplicates NaN:", func(s *datagen.Spec) { s.Duplicates = math.NaN() })
	f("conflicts 2:", func(s *datagen.Spec) { s.Conflicts = 2 })
	f("malformed 2:", func(s *datagen.Spec) { s.Malformed = 2 })
	f("skew 2:", func(s *datagen.Spec) { s.Skew = 2 })
	f("silent-for 0s:", func(s *datagen.Spec) { s.Silent = 0.1 })
	f("burst-factor 0.5:", func(s *datagen.Spec) { s.BurstFactor = 0.5 })
	f("burst-length 0s:", func(s *datagen.Spec) { s.BurstFactor = 5 })
	f("burst-every 1s:", func(s *datagen.Spec) {
		s.BurstFactor, s.BurstLength, s.BurstEvery = 5, time.Second, time.Second
	})
}

func TestWorkloadsAreValidAndFoundByName(t *testing.T) {
	for _, w := range datagen.Workloads() {
		require.NoError(t, w.Spec.Validate(), w.Name)
		found, err := datagen.WorkloadNamed(w.Name)
		require.NoError(t, err)
		require.Equal(t, w, found)
	}
	w, err := datagen.WorkloadNamed("waehner-100k")
	require.NoError(t, err)
	require.Equal(t, 100_000, w.Spec.Cars)
	require.EqualValues(t, 10_000, w.Spec.Rate)
	_, err = datagen.WorkloadNamed("waener")
	require.ErrorContains(t, err, `workload "waener": is none of clean, disturbed`)
}

func TestDisturbancesReadWhatTheyWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0, 0.1)
		d := datagen.Disturbances{
			OutOfOrder: rate.Draw(t, "out-of-order"), Late: rate.Draw(t, "late"),
			Duplicates: rate.Draw(t, "duplicates"), Conflicts: rate.Draw(t, "conflicts"),
			Malformed: rate.Draw(t, "malformed"), Skew: rate.Draw(t, "skew"),
			Silent: rate.Draw(t, "silent"), SilentFor: time.Hour,
			BurstFactor: 10, BurstEvery: time.Minute, BurstLength: time.Second,
		}
		again, err := datagen.ParseDisturbances(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
	f := func(text, want string) {
		t.Helper()
		_, err := datagen.ParseDisturbances(text)
		require.ErrorContains(t, err, want)
	}
	f("late", `disturbance late "": takes a rate`)
	f("late=x", `disturbance late "x": takes a rate`)
	f("burst-every=x", `disturbance burst-every "x": takes a duration`)
	f("lat=0.1", `disturbance "lat": is none of out-of-order, late`)
	f("late=7", "late 7: must be between 0 and 1")
}

func TestCarIDs(t *testing.T) {
	f := func(i int, want string) { require.Equal(t, want, datagen.CarID(i)) }
	f(0, "car-00000")
	f(42, "car-00042")
	f(99_999, "car-99999")
	f(100_000, "car-100000")
}

// Ensure that fleets with other first cars share no name, and that a reading by itself has the stream's.
func TestFirstCar(t *testing.T) {
	s := datagen.Spec{Seed: 7, FirstCar: 99_998, Cars: 4, Rate: 4, Duration: 3 * time.Second, Start: datagen.DefaultStart()}
	require.NoError(t, s.Validate())
	var names []string
	var p datagen.Planned
	for st := s.Stream(); st.Next(&p); {
		names = append(names, p.Event.CarID)
		again, _ := s.Reading((len(names)-1)%4, p.Event.Seq)
		require.Equal(t, p.Event, again)
	}
	require.Equal(t, []string{"car-99998", "car-99999", "car-100000", "car-100001"}, names[:4])
	s.FirstCar = -1
	require.ErrorContains(t, s.Validate(), "first-car -1")
}
