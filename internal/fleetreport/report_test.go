package fleetreport

import (
	"bytes"
	"context"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench"
	"lambdakappa/datagen"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/kappa"
	"lambdakappa/lambda"
)

// overMidnight is a workload in which everything goes wrong, on two days.
func overMidnight(t testing.TB) datagen.Spec {
	t.Helper()
	disturbances, err := datagen.ParseDisturbances(
		"late=0.05,out-of-order=0.05,duplicates=0.03,conflicts=0.02,malformed=0.01,skew=0.01")
	require.NoError(t, err)
	return datagen.Spec{
		Seed: 7, Cars: 12, Rate: 12, Duration: 4 * time.Minute,
		Start:        time.Date(2026, 11, 22, 23, 58, 0, 0, time.UTC),
		Disturbances: disturbances,
	}
}

// plain is the report as a pencil would make it, from the generator and not from any file.
func plain(spec datagen.Spec) (days map[string]map[string]*CarDay, duplicates int64) {
	rules, days := event.DefaultRules(), map[string]map[string]*CarDay{}
	type identity struct {
		car string
		seq int64
	}
	seen := map[identity]bool{}
	source := spec.Stream()
	var p datagen.Planned
	for source.Next(&p) {
		e := p.Event
		if p.Corrupt != nil || rules.CheckSkew(e.EventTime, p.Intended/1e6) != nil {
			continue
		}
		if id := (identity{e.CarID, e.Seq}); seen[id] {
			duplicates++
			continue
		} else {
			seen[id] = true
		}
		date := time.UnixMilli(e.EventTime).UTC().Format("2006-01-02")
		if days[date] == nil {
			days[date] = map[string]*CarDay{}
		}
		d := days[date][e.CarID]
		if d == nil {
			d = &CarDay{Car: e.CarID, TirePressureMin: math.MaxInt32, BatteryVoltageMin: 1e9, CoolantTempMax: -1e9}
			days[date][e.CarID] = d
		}
		d.Readings++
		d.DistanceM += float64(e.Speed) // multiples of 1/256: exact
		d.SpeedMax = max(d.SpeedMax, e.Speed)
		d.CoolantTempMax = max(d.CoolantTempMax, e.CoolantTemp)
		d.BatteryVoltageMin = min(d.BatteryVoltageMin, e.BatteryVoltage)
		d.TirePressureMin = min(d.TirePressureMin,
			e.TirePressure11, e.TirePressure12, e.TirePressure21, e.TirePressure22)
	}
	return days, duplicates
}

// startLog starts an embedded broker with the topics of both sides.
func startLog(t testing.TB, partitions int) *eventlog.Log {
	t.Helper()
	ctx := context.Background()
	broker, err := eventlog.StartBroker(eventlog.BrokerConfig{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	log, err := eventlog.Open(ctx, eventlog.Config{
		Brokers: []string{broker.Addr()}, Registry: broker.RegistryURL(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	require.NoError(t, log.CreateTopics(ctx,
		eventlog.TopicSpec{Name: eventlog.CarsTopic, Partitions: partitions}))
	require.NoError(t, lambda.CreateTopics(ctx, log, partitions))
	require.NoError(t, kappa.CreateTopics(ctx, log, partitions, "v1"))
	return log
}

// archive lets one of the sides write its archive until that covers the log.
func archive(t testing.TB, log *eventlog.Log, dir string, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	ends, err := log.EndOffsets(ctx, eventlog.CarsTopic)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		files, err := listFiles(dir)
		for partition, end := range ends {
			of := files[partition]
			if err != nil || len(of) == 0 || of[len(of)-1].end < end {
				return false
			}
		}
		return true
	}, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

// Ensure that the report behind either architecture is what the generator says, and that the two
// are the same but for how much they read.
func TestReportOfBothSides(t *testing.T) {
	log, spec := startLog(t, 3), overMidnight(t)
	ctx := context.Background()
	_, err := bench.Publish(ctx, log, spec.Stream(), bench.Pace{})
	require.NoError(t, err)

	l, k := lambda.DefaultConfig(), kappa.DefaultConfig()
	l.Log, k.Log, l.Dir, k.Dir = log, log, t.TempDir(), t.TempDir()
	l.RollInterval, k.RollInterval = 20*time.Millisecond, 20*time.Millisecond
	archive(t, log, l.Dir, func(ctx context.Context) error { return lambda.Ingest(ctx, l) })
	archive(t, log, k.Dir, func(ctx context.Context) error { return kappa.Sink(ctx, k) })

	behindLambda, err := Make(ctx, l.Dir, time.Second)
	require.NoError(t, err)
	behindKappa, err := Make(ctx, k.Dir, time.Second)
	require.NoError(t, err)
	for _, r := range []*Report{behindLambda, behindKappa} {
		require.Positive(t, r.BytesRead)
		r.BytesRead, r.Files = 0, 0
	}
	require.Equal(t, behindLambda, behindKappa)

	want, repeated := plain(spec)
	require.Equal(t, repeated, behindLambda.Duplicates+behindLambda.Conflicts)
	require.Positive(t, behindLambda.Duplicates)
	require.Positive(t, behindLambda.Conflicts)
	require.Positive(t, behindLambda.DeadLetter)
	require.Len(t, behindLambda.Days, 2)
	require.Len(t, want, 2)
	for _, day := range behindLambda.Days {
		cars := want[day.Date]
		require.Len(t, day.Cars, len(cars))
		var fleet Fleet
		for _, got := range day.Cars {
			w := cars[got.Car]
			w.SpeedMean = w.DistanceM / float64(w.Readings)
			got.WorstTire = ""
			require.Equal(t, *w, got)
			fleet.Readings += w.Readings
			fleet.DistanceM += w.DistanceM
		}
		require.Equal(t, fleet.Readings, day.Fleet.Readings)
		require.Equal(t, fleet.DistanceM, day.Fleet.DistanceM)
	}
	for _, p := range behindLambda.Complete.Partitions {
		require.False(t, p.NewestAppend.Before(behindLambda.Complete.AppendTime))
	}
}

// Ensure that every format is the same for the same archive, and looks as it does.
func TestFormats(t *testing.T) {
	at := time.Date(2026, 11, 22, 23, 59, 1, 0, time.UTC)
	f := newFold()
	require.NoError(t, f.add(&columns{
		cars: []string{"car-00001", "car-00000"}, car: []int32{0, 1, 0, 0, 1},
		seq: []int64{0, 0, 1, 1, 0}, print: []int32{1, 2, 3, 3, 9},
		time:  []int64{at.UnixMilli(), at.UnixMilli(), at.UnixMilli() + 60_000, 0, 0},
		speed: []float32{2, 4, 6, 8, 10}, coolant: []float32{90, 91, 92, 93, 94},
		voltage: []float32{240, 230, 220, 210, 200},
		tires: [4][]int32{
			{32, 33, 31, 1, 1}, {32, 30, 31, 1, 1}, {32, 30, 30, 1, 1}, {31, 33, 33, 1, 1},
		},
	}))
	r := &Report{
		Readings: f.readings, Duplicates: f.duplicates, Conflicts: f.conflicts,
		Complete: Complete{AppendTime: at, Partitions: []Partition{{0, 5, 10, at, at}}},
		Days:     days([]*fold{f}, 10),
	}
	text := func(format string) string {
		t.Helper()
		var b bytes.Buffer
		require.NoError(t, r.Write(&b, format))
		return b.String()
	}
	require.Equal(t, `Fleet report, complete up to append time 2026-11-22T23:59:01Z
  partition 0: offsets [5, 10), newest appended 2026-11-22T23:59:01Z, newest measured 2026-11-22T23:59:01Z
3 readings; left out: 1 duplicates, 1 conflicts, 0 dead letters

         day  cars  readings   km  mean m/s  max m/s            worst tyre            hottest    weakest battery
  2026-11-22     2         2  0.1      3.00     4.00  30 psi car-00000 1_2  91.0 °C car-00000  230.0 V car-00000
  2026-11-23     1         1  0.1      6.00     6.00  30 psi car-00001 2_1  92.0 °C car-00001  220.0 V car-00001
`, text("text"))
	require.Equal(t, `date,car_id,readings,distance_m,speed_mean,speed_max,coolant_temp_max,battery_voltage_min,tire_pressure_min,worst_tire
2026-11-22,car-00000,1,40,4,4,91,230,30,1_2
2026-11-22,car-00001,1,20,2,2,90,240,31,2_2
2026-11-23,car-00001,1,60,6,6,92,220,30,2_1
`, text("csv"))
	require.Contains(t, text("json"), `"worst_tire": {
          "car": "car-00000",
          "tire": "1_2",
          "psi": 30
        }`)
	require.ErrorContains(t, r.Write(&bytes.Buffer{}, "pdf"), "must be one of [text json csv]")
	require.ErrorIs(t, r.Only("2026-11-24"), errNoDay)
	require.NoError(t, r.Only("2026-11-23"))
	require.Equal(t, 2, strings.Count(text("csv"), "\n"))
}

// Ensure that what is not there is said to be not there.
func TestNoArchive(t *testing.T) {
	dir := t.TempDir()
	_, err := Make(context.Background(), dir, time.Second)
	require.ErrorContains(t, err, "there is no master/ in "+dir)
	require.NoError(t, os.Mkdir(dir+"/master", 0o755))
	_, err = Make(context.Background(), dir, time.Second)
	require.ErrorContains(t, err, "there are no events in "+dir)
	_, err = Make(context.Background(), dir, 0)
	require.ErrorContains(t, err, "reading interval 0s: must be above 0")
}

// Ensure that a file that goes while the report is made is told from one that cannot be read, for then it begins again, and that
// what is left makes a report.
func TestAFileThatGoesMeanwhile(t *testing.T) {
	log, spec := startLog(t, 1), overMidnight(t)
	ctx := context.Background()
	_, err := bench.Publish(ctx, log, spec.Stream(), bench.Pace{})
	require.NoError(t, err)
	cfg := lambda.DefaultConfig()
	cfg.Log, cfg.Dir, cfg.RollRows = log, t.TempDir(), 100
	archive(t, log, cfg.Dir, func(ctx context.Context) error { return lambda.Ingest(ctx, cfg) })

	files, err := listFiles(cfg.Dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files[0]), 2)
	require.NoError(t, os.Remove(files[0][0].path))
	_, err = makeOf(ctx, cfg.Dir, files, time.Second)
	require.ErrorIs(t, err, fs.ErrNotExist)
	r, err := Make(ctx, cfg.Dir, time.Second)
	require.NoError(t, err)
	require.Equal(t, len(files[0])-1, r.Files)
}
