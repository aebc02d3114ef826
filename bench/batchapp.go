package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/view"
)

// batchApp runs the same batch application, the daily fleet report, behind each arm alone: over Lambda's
// master dataset and over what Kappa's sink archives. The report is made again and again while events come, to
// see how old it is, and once more when the archive is complete, to see whether it is right.
type batchApp struct{}

// The figures of a batch application.
const (
	figureReportAge   = "age of the report" // the mean over all moments
	figureReportTime  = "time for the report"
	figureArchived    = "archive per event"
	figureArchiveCost = "CPU of archiving per million events"
)

func (*batchApp) check(s *Scenario) error {
	if err := s.needs(); err != nil {
		return err
	}
	if d := s.size.disturb; d.Late+d.Duplicates+d.Silent > 0 {
		return fmt.Errorf("procedure batch-app takes no late, duplicates or silent: they are sent up to minutes after the rest")
	}
	if s.size.speedup != 1 {
		return fmt.Errorf("procedure batch-app takes a workload with speedup 1, not %v: an age is one of the wall clock", s.size.speedup)
	}
	if len(reportMoments(s.size.duration)) == 0 {
		return fmt.Errorf("procedure batch-app takes a workload of at least %s, not %s: the archive closes a file every %s",
			rollInterval*5/2, s.size.duration, rollInterval)
	}
	return nil
}

func (*batchApp) seconds(o Options, s *Scenario) float64 {
	return float64(len(s.arms(o))*s.size.repetitions) * (steadyRunSeconds(s.size) + 4)
}

func (b *batchApp) run(ctx context.Context, d *driver, s *Scenario) error {
	return d.eachAlone(s, func(head result.Run) error {
		x, err := d.execute(ctx, head, func(*execution) {}, func(ctx context.Context, x *execution) error {
			return b.report(ctx, x, s.size)
		})
		if err != nil {
			return err
		}
		return d.add(x.run)
	})
}

// report runs one arm with its archive and makes the report twice.
func (*batchApp) report(ctx context.Context, x *execution, s size) error {
	a, err := x.sut.startArm(ctx, x.run.Arm, pace{background: true})
	if err != nil {
		return err
	}
	dir, archiver := filepath.Join(x.sut.dir, a.like), "lambda ingest"
	if a.like == armKappa {
		dir, archiver = a.archive(), sinkPart.name
		if err := a.launchSink(ctx); err != nil {
			return err
		}
	}
	before := a.parts[archiver].Used()
	w := s.workload(x.run.Seed).sentFrom(time.Now().Add(leadTime))
	var ages []float64
	var meanwhile errgroup.Group
	meanwhile.Go(func() (err error) {
		ages, err = x.reportAges(ctx, dir, w)
		return err
	})
	published, end, err := x.sut.generate(ctx, w)
	if err = errors.Join(err, meanwhile.Wait()); err != nil {
		return err
	}
	x.run.Events = published.Events
	if err := x.settleArms(ctx, end); err != nil {
		return err
	}
	last, err := x.reportOfAll(ctx, dir, sumOf(end))
	if err != nil {
		return err
	}
	cpu := a.parts[archiver].Used().CPU - before.CPU
	if x.truth, err = readTruth(ctx, x.sut.log, w, x.scenario.rules, x.sut.logic(), end); err != nil {
		return err
	}
	wrong := last.differs(x.truth.at(end))
	x.checkAnswer(a.name, "fleet report", len(wrong) == 0, "%d cars differ from the truth%s", len(wrong), listed("", wrong))
	bytes, err := archiveBytes(dir)
	if err != nil {
		return err
	}
	million := float64(max(x.run.Events, 1)) / 1e6
	x.run.Figures = append(x.run.Figures,
		result.Figure{Name: figureReportAge, Unit: "ms", Value: meanOf(ages)},
		result.Figure{Name: figureReportTime, Unit: "ms", Value: last.MS},
		result.Figure{Name: figureArchived, Unit: "B", Value: float64(bytes) / million / 1e6},
		result.Figure{Name: figureArchiveCost, Unit: "s", Value: cpu / million})
	_, err = x.judge(ctx, a, "at the end")
	return err
}

// reportEvery is how often a report is made for its age: no part of the time after which an archive closes
// its files, so that the samples meet every phase of that.
const reportEvery = 370 * time.Millisecond

// reportMoments are when reports are made for their ages, since the first event: from when every partition
// has a file, through as many whole roll intervals as the workload has left.
func reportMoments(duration time.Duration) []time.Duration {
	from := rollInterval * 3 / 2
	rolls := (duration - from) / rollInterval
	var moments []time.Duration
	for at := from; at < from+rolls*rollInterval; at += reportEvery {
		moments = append(moments, at)
	}
	return moments
}

// reportAges makes reports while the generator sends, and returns how old they were, ms. Who asks at any
// moment gets one of these: the archive alone says how old it is, not the one who asks.
func (x *execution) reportAges(ctx context.Context, dir string, w workload) ([]float64, error) {
	var ages []float64
	start := w.onTheClock().Start
	for _, at := range reportMoments(w.spec.Duration) {
		if err := waitUntil(ctx, start.Add(at)); err != nil {
			return nil, err
		}
		r, err := x.fleetReport(ctx, dir)
		if err != nil {
			return nil, err
		}
		ages = append(ages, r.age(w))
	}
	x.run.Notes = append(x.run.Notes, fmt.Sprintf("age of the report: the mean of %d, from %.0f to %.0f ms; the archive "+
		"closes a file every %s", len(ages), slices.Min(ages), slices.Max(ages), rollInterval))
	return ages, nil
}

func meanOf(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x / float64(len(xs))
	}
	return sum
}

// archiveBytes is what the archived events of a side take: what else is in its folder is no part of them.
func archiveBytes(dir string) (int64, error) { return diskBytes(filepath.Join(dir, "master"), "") }

// reportOfAll makes reports until one is about the whole log.
func (x *execution) reportOfAll(ctx context.Context, dir string, events int64) (fleetReport, error) {
	late := time.Now().Add(coverLimit)
	for {
		r, err := x.fleetReport(ctx, dir)
		switch {
		case err != nil || r.Events == events:
			return r, err
		case time.Now().After(late):
			return r, fmt.Errorf("archived only %d of %d events within %s", r.Events, events, coverLimit)
		}
		pause(ctx, coverEvery)
	}
}

// A fleetReport is what the driver wants to know of one.
type fleetReport struct {
	making

	Events int64      `json:"events"`
	Days   []fleetDay `json:"days"`
}

// making is what a report says about its making.
type making struct {
	AgeMS float64 `json:"age_ms"` // since the append time of the newest event that it is complete up to
	MS    float64 `json:"ms"`     // to make it
}

// age is how old the report was, ms: an append time is the intended one, and the event was sent later.
func (m making) age(w workload) float64 { return m.AgeMS - float64(w.shift.Milliseconds()) }

type fleetDay struct {
	Date string   `json:"date"`
	Cars []carDay `json:"cars"`
}

// carDay is what a report says of a car that the windows of a day say, too.
type carDay struct {
	Car               string  `json:"car"`
	Readings          int64   `json:"readings"`
	SpeedMean         float64 `json:"speed_mean"`
	SpeedMax          float32 `json:"speed_max"`
	CoolantTempMax    float32 `json:"coolant_temp_max"`
	BatteryVoltageMin float32 `json:"battery_voltage_min"`
	TirePressureMin   int32   `json:"tire_pressure_min"`
}

// fleetReport makes a report, by a process of its own.
func (x *execution) fleetReport(ctx context.Context, dir string) (fleetReport, error) {
	var r fleetReport
	out := filepath.Join(x.sut.dir, "fleet-report.json")
	c, err := x.sut.supervisor.Launch("fleet-report", x.sut.env(), "fleet-report", "--dir", dir, "--format", "json", "--out", out)
	if err != nil {
		return r, err
	}
	c.ExpectEnd()
	p := c.Process()
	if err := c.Settled(ctx); err != nil {
		return r, err
	}
	said, ok := p.Facts.Await(ctx, "written", p.Exited)
	if !ok {
		return r, fmt.Errorf("fleet-report: wrote nothing")
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("read fleet report: %w", err)
	}
	return r, said.Into(&r.making)
}

// differs lists the days of cars that are not what the truth says, or only on one side.
func (r *fleetReport) differs(truth oracle.Answer) []string {
	want := map[string]*view.Tally{}
	for i := range truth.Windows {
		w := &truth.Windows[i]
		key := time.UnixMilli(w.Start).UTC().Format(time.DateOnly) + " " + w.CarID
		if want[key] == nil {
			t := view.EmptyTally()
			want[key] = &t
		}
		want[key].Merge(&w.Tally)
	}
	var wrong []string
	for _, day := range r.Days {
		for _, c := range day.Cars {
			key := day.Date + " " + c.Car
			if t := want[key]; t == nil || c != carDayOf(c.Car, t) {
				wrong = append(wrong, key)
			}
			delete(want, key)
		}
	}
	for key := range want {
		wrong = append(wrong, key)
	}
	return wrong
}

func carDayOf(car string, t *view.Tally) carDay {
	return carDay{
		Car: car, Readings: t.Readings, SpeedMean: t.SpeedMean(), SpeedMax: t.SpeedMax,
		CoolantTempMax: t.CoolantTempMax, BatteryVoltageMin: t.BatteryVoltageMin, TirePressureMin: t.TirePressureMin,
	}
}
