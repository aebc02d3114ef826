package bench

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// testLog is an embedded broker with the input topic.
func testLog(t *testing.T) *eventlog.Log {
	t.Helper()
	b, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	log, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{b.Addr()}, Registry: b.RegistryURL()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	require.NoError(t, log.CreateTopics(t.Context(), eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: 3}))
	return log
}

func badDay(seed uint64) workload {
	return workload{spec: datagen.Spec{
		Seed: seed, Cars: 20, Rate: 20, Duration: 2 * time.Minute, Start: datagen.DefaultStart(),
		Disturbances: datagen.BadDay(),
	}}
}

func publish(t *testing.T, log *eventlog.Log, w workload) (Published, []int64) {
	t.Helper()
	plan, err := w.open()
	require.NoError(t, err)
	done, err := Publish(t.Context(), log, plan.Source, Pace{Speedup: w.speedup, Shift: w.shift})
	require.NoError(t, err)
	end, err := log.EndOffsets(t.Context(), eventlog.CarsTopic)
	require.NoError(t, err)
	return done, end
}

func readAll(ctx context.Context, log *eventlog.Log, w workload, end []int64) ([]oracle.Entry, error) {
	plan, err := w.open()
	if err != nil {
		return nil, err
	}
	var all []oracle.Entry
	err = readBack(ctx, log, plan.Source, end, new(past), func(e *oracle.Entry) { all = append(all, *e) })
	return all, err
}

// Ensure that what was published is what was planned, every event once, whether it decodes or not.
func TestReadBack(t *testing.T) {
	log, w := testLog(t), badDay(1)
	done, end := publish(t, log, w)
	require.Equal(t, sumOf(end), done.Events)

	all, err := readAll(t.Context(), log, w, end)
	require.NoError(t, err)
	require.EqualValues(t, done.Events, len(all))
	rejected := slices.IndexFunc(all, func(e oracle.Entry) bool { return e.Event == nil })
	require.NotEqual(t, -1, rejected)
	require.NotEmpty(t, all[rejected].Reject)
}

// Ensure that the readback notices whatever may happen to an event on its way, and names it.
func TestReadBackNotices(t *testing.T) {
	log, w := testLog(t), badDay(1)
	_, end := publish(t, log, w)

	cut := slices.Clone(end)
	cut[1]--
	_, err := readAll(t.Context(), log, w, cut)
	require.ErrorContains(t, err, "lost: car-")

	_, err = readAll(t.Context(), log, badDay(2), end)
	require.ErrorContains(t, err, "lost, doubled or moved")

	moved := w
	moved.spec.Start = moved.spec.Start.Add(time.Microsecond)
	_, err = readAll(t.Context(), log, moved, end)
	require.ErrorContains(t, err, "intended")

	publish(t, log, w)
	twice, err := log.EndOffsets(t.Context(), eventlog.CarsTopic)
	require.NoError(t, err)
	_, err = readAll(t.Context(), log, w, twice)
	require.ErrorContains(t, err, "unplanned: partition")
}

// Ensure that the truth about an undisturbed log is one, and about another log it is two.
func TestReadTruth(t *testing.T) {
	log, w := testLog(t), badDay(1)
	_, end := publish(t, log, w)
	kept, err := readTruth(t.Context(), log, w, event.DefaultRules(), logic{version: "v1", views: view.All}, end)
	require.NoError(t, err)
	a, b := kept.at(end), kept.at(make([]int64, len(end)))
	require.NotZero(t, b.Counters.DroppedLate)
	require.Zero(t, a.Counters.DroppedLate)

	clean := w
	clean.spec.Disturbances = datagen.Disturbances{}
	log = testLog(t)
	_, end = publish(t, log, clean)
	one, err := readTruth(t.Context(), log, clean, event.DefaultRules(), logic{version: "v1", views: view.All}, end)
	require.NoError(t, err)
	require.Equal(t, one.at(end), one.at(make([]int64, len(end))))
	require.Equal(t, clean.spec.Events(), one.at(end).Counters.Events)
}

// Ensure that a paced generator keeps its schedule, sends nothing early, and reports its lag.
func TestPace(t *testing.T) {
	log := testLog(t)
	w := workload{
		spec:    datagen.Spec{Seed: 1, Cars: 100, Rate: 1000, Duration: time.Second, Start: time.Now().Add(50 * time.Millisecond)},
		speedup: 1,
	}
	done, end := publish(t, log, w)
	require.EqualValues(t, 1000, sumOf(end))
	require.Greater(t, done.Lag.Max, 0.0)
	require.GreaterOrEqual(t, time.Now().UnixNano(), w.spec.Intended(99, 9), "the last event was not sent early")
}

// Ensure that a sped-up schedule is that much shorter and begins at once.
func TestPaceClock(t *testing.T) {
	c := newPaceClock(Pace{Speedup: 20})
	begin := datagen.DefaultStart().UnixNano()
	first := c.moment(begin)
	require.Equal(t, first+int64(50*time.Millisecond), c.moment(begin+int64(time.Second)))

	real := newPaceClock(Pace{Speedup: 1})
	require.Equal(t, begin, real.moment(begin))
	shifted := newPaceClock(Pace{Speedup: 1, Shift: time.Minute})
	require.Equal(t, begin+int64(time.Minute), shifted.moment(begin))

	unpaced := newPaceClock(Pace{})
	due, err := unpaced.wait(t.Context(), begin)
	require.NoError(t, err)
	require.Equal(t, begin, due)
}

// Ensure that a workload is the same whenever it is sent, and kept to the clock all the same.
func TestShiftedWorkload(t *testing.T) {
	log := testLog(t)
	begin := time.Now().Add(50 * time.Millisecond)
	w := size{cars: 100, rate: 1000, duration: time.Second, speedup: 1}.workload(1).sentFrom(begin)
	require.Equal(t, datagen.DefaultStart(), w.spec.Start)
	require.Equal(t, begin.UnixNano(), w.onTheClock().Start.UnixNano())
	require.Contains(t, strings.Join(w.args(), " "), "--start 2026-01-01T00:00:00Z --shift "+w.shift.String())

	done, end := publish(t, log, w)
	require.EqualValues(t, 1000, sumOf(end))
	require.Less(t, done.Lag.Max, 900.0, "it was on time")
	last := w.onTheClock().Intended(99, 9)
	require.Greater(t, time.Now().UnixNano(), last, "the last event was not sent early")
	all, err := readAll(t.Context(), log, w, end)
	require.NoError(t, err)
	first := datagen.DefaultStart().UnixMilli()
	require.EqualValues(t, 0, first%event.DefaultRules().Window)
	for _, e := range all {
		require.GreaterOrEqual(t, e.Event.EventTime, first)
		require.Less(t, e.Event.EventTime, first+1000)
		require.Equal(t, e.Event.EventTime, e.AppendTime)
	}
}

// Ensure that the age of a report is one of the wall clock.
func TestAgeOfAReport(t *testing.T) {
	require.Equal(t, 40.0, making{AgeMS: 3_600_040}.age(workload{shift: time.Hour}))
}

// Ensure that the generator's process is told the whole workload.
func TestGeneratorArguments(t *testing.T) {
	w := badDay(7)
	require.Equal(t, []string{
		"datagen", "--speedup", "0", "--seed", "7", "--cars", "20", "--rate", "20", "--duration", "2m0s",
		"--start", "2026-01-01T00:00:00Z", "--disturb", datagen.BadDay().String(),
	}, w.args())
	require.False(t, w.clean())
	csv := workload{csv: "cars.csv", speedup: 3}
	require.Equal(t, []string{"datagen", "--speedup", "3", "--input", "csv:cars.csv"}, csv.args())
	require.False(t, csv.clean(), "nobody knows what a recording holds")
}
