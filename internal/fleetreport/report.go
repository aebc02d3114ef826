package fleetreport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Report is what the archive says about the fleet, day by day.
type Report struct {
	Complete   Complete `json:"complete"`
	Events     int64    `json:"events"`       // offsets that held an event
	DeadLetter int64    `json:"dead_letters"` // of these
	Readings   int64    `json:"readings"`     // distinct; all days
	Duplicates int64    `json:"duplicates"`   // the same bytes again
	Conflicts  int64    `json:"conflicts"`    // the same identity with other content
	Files      int      `json:"files"`
	BytesRead  int64    `json:"bytes_read"`
	Days       []Day    `json:"days"`
}

// Complete says up to where every event is in the report. What was appended later is not, and may
// be of any day.
type Complete struct {
	AppendTime time.Time   `json:"append_time"` // of the newest event of the partition that is furthest behind
	Partitions []Partition `json:"partitions"`
}

// A Partition is covered up to an offset, exclusive.
type Partition struct {
	Partition    int       `json:"partition"`
	First        int64     `json:"first"` // offset where the archive begins
	End          int64     `json:"end"`
	NewestAppend time.Time `json:"newest_append"` // append time of its newest event
	NewestEvent  time.Time `json:"newest_event"`  // greatest event time
}

// A Day is one day of event time, UTC.
type Day struct {
	Date  string   `json:"date"` // 2026-11-22
	Fleet Fleet    `json:"fleet"`
	Cars  []CarDay `json:"cars"` // by car_id
}

// A Fleet is a day of all cars. Of equals, the car that comes first is named.
type Fleet struct {
	CarsActive     int            `json:"cars_active"`
	Readings       int64          `json:"readings"`
	DistanceM      float64        `json:"distance_m"`
	SpeedMean      float64        `json:"speed_mean"` // m/s, over all readings
	SpeedMax       float32        `json:"speed_max"`
	WorstTire      WorstTire      `json:"worst_tire"`
	Hottest        Hottest        `json:"hottest"`
	WeakestBattery WeakestBattery `json:"weakest_battery"`
}

// A WorstTire is the lowest pressure of a day. Tires are named as in the event: 1_1 is front left.
type WorstTire struct {
	Car  string `json:"car"`
	Tire string `json:"tire"`
	PSI  int32  `json:"psi"`
}

// Hottest is the highest coolant temperature of a day, degrees C.
type Hottest struct {
	Car         string  `json:"car"`
	CoolantTemp float32 `json:"coolant_temp"`
}

// A WeakestBattery is the lowest voltage of a day.
type WeakestBattery struct {
	Car     string  `json:"car"`
	Voltage float32 `json:"voltage"`
}

// A CarDay is a day of one car.
type CarDay struct {
	Car               string  `json:"car"`
	Readings          int64   `json:"readings"`
	DistanceM         float64 `json:"distance_m"` // sum of speed x the interval of a reading
	SpeedMean         float64 `json:"speed_mean"` // m/s
	SpeedMax          float32 `json:"speed_max"`
	CoolantTempMax    float32 `json:"coolant_temp_max"`    // degrees C
	BatteryVoltageMin float32 `json:"battery_voltage_min"` // V
	TirePressureMin   int32   `json:"tire_pressure_min"`   // psi
	WorstTire         string  `json:"worst_tire"`          // that had it
}

// Make makes the report of the archive in dir. A distance is the sum of speeds times interval, how
// often a car sends. Files that whoever keeps the archive removes meanwhile are none of it: it begins again without them.
func Make(ctx context.Context, dir string, interval time.Duration) (*Report, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("reading interval %s: must be above 0", interval)
	}
	for tries := 1; ; tries++ {
		files, err := listFiles(dir)
		if err != nil {
			return nil, err
		}
		r, err := makeOf(ctx, dir, files, interval)
		if !errors.Is(err, fs.ErrNotExist) || tries == mostTries {
			return r, err
		}
	}
}

// mostTries is how often a report is begun. Files go a view retention after they came: who meets it twice is slower than that.
const mostTries = 3

// makeOf makes the report of some files of the archive.
func makeOf(ctx context.Context, dir string, files map[int][]file, interval time.Duration) (*Report, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no events in %s yet", dir)
	}
	m := &maker{files: files, report: &Report{}, folds: make([]*fold, len(files))}
	if err := m.read(ctx); err != nil {
		return nil, err
	}
	m.report.Days = days(m.folds, interval.Seconds())
	return m.report, nil
}

// A maker makes one report.
type maker struct {
	files  map[int][]file
	folds  []*fold
	bytes  atomic.Int64
	report *Report
}

// read reads all partitions, as many at a time as there are cores.
func (m *maker) read(ctx context.Context) error {
	var partitions []int
	for partition := range m.files {
		partitions = append(partitions, partition)
	}
	slices.Sort(partitions)
	about := make([]facts, len(partitions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, partition := range partitions {
		m.folds[i] = newFold()
		group.Go(func() (err error) {
			about[i], err = m.readPartition(ctx, m.folds[i], m.files[partition])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, partition := range partitions {
		m.count(partition, m.folds[i], about[i])
	}
	m.report.BytesRead = m.bytes.Load()
	return nil
}

// readPartition folds the files of a partition and returns what their metadata says together.
func (m *maker) readPartition(ctx context.Context, f *fold, files []file) (sum facts, err error) {
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		about, err := file.read(&m.bytes, f.add)
		if err != nil {
			return sum, err
		}
		if i == 0 {
			sum.MaxEventTime = about.MaxEventTime
		}
		sum.MaxEventTime = max(sum.MaxEventTime, about.MaxEventTime)
		sum.NewestAppend = max(sum.NewestAppend, about.NewestAppend)
		sum.Counters.Add(about.Counters)
	}
	var dead int64
	for _, n := range sum.Counters.DeadLetters {
		dead += n
	}
	if want := sum.Counters.Events - dead; f.rows != want {
		return sum, fmt.Errorf("partition %d has %d rows, %d by its metadata",
			files[0].partition, f.rows, want)
	}
	return sum, nil
}

// count adds a partition to the head of the report.
func (m *maker) count(partition int, f *fold, about facts) {
	r, files := m.report, m.files[partition]
	r.Files += len(files)
	r.Events += about.Counters.Events
	for _, n := range about.Counters.DeadLetters {
		r.DeadLetter += n
	}
	r.Readings += f.readings
	r.Duplicates += f.duplicates
	r.Conflicts += f.conflicts
	p := Partition{
		Partition: partition, First: files[0].first, End: files[len(files)-1].end,
		NewestAppend: time.UnixMilli(about.NewestAppend).UTC(),
	}
	if f.rows > 0 {
		p.NewestEvent = time.UnixMilli(about.MaxEventTime).UTC()
	}
	if c := &r.Complete; c.AppendTime.IsZero() || p.NewestAppend.Before(c.AppendTime) {
		c.AppendTime = p.NewestAppend
	}
	r.Complete.Partitions = append(r.Complete.Partitions, p)
}

// errNoDay is the error of a day of which nothing is known.
var errNoDay = errors.New("no reading was measured on that day")

// Only leaves one day in the report.
func (r *Report) Only(date string) error {
	for _, d := range r.Days {
		if d.Date == date {
			r.Days = []Day{d}
			return nil
		}
	}
	return fmt.Errorf("%s: %w", date, errNoDay)
}

func dateOf(day int64) string { return time.UnixMilli(day * dayMs).UTC().Format(time.DateOnly) }
