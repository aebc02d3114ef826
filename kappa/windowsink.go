//bench:only kappa-archived
package kappa

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// A windowSink appends the windows of one partition when the watermark has closed them: from then
// on no event can change them, and no changelog has to be asked for them.
//
// What identifies a closed window is the input offset at which it closed. The state is a function
// of the log, so a version closes a window at the same offset however often it is computed: after
// a crash, by another process, in another life of the version after a way back. A file therefore
// holds what closed in [first, end), and to append exactly once is to have no gap and no overlap
// between ranges. A file ends at the position of a progress record, since whoever has read that
// has read all rows below it.
//
// It follows the live version. Another one has a dataset of its own, which is complete: it is
// written from the start of that version's changelog. The dataset of the version before ends where
// it was replaced.
//
// On a start it reads the changelog again as serving does, but it remembers only windows that are not
// archived and that no progress record has closed yet. Compaction leaves the last of these records
// alone: a sink that begins behind a long compacted history has all its windows in memory once, and
// writes one file of them. It cannot write them in pieces: a row may be of a flush that a crash has
// cut off, and have a later one.
type windowSink struct {
	cfg       Config // Version and Views are those of the view that is followed
	partition int

	open     map[int64]map[string]*view.Tally // rows by window start and car
	seen     []reading                        // memory for decoding
	tally    view.Tally                       // the same
	progress progress                         // the latest that was read
	begun    bool                             // there was one

	position  int64           // what closed at offsets below it is in published files
	watermark event.Watermark // at position
	closed    []closedRow     // since position
	due       time.Time       // when closed has to be published
}

// A closedRow is the row of a closed window. Sums are in units of 2^-24.
type closedRow struct {
	CarID              string  `parquet:"car_id,dict"`
	Start              int64   `parquet:"window_start,delta"`
	Readings           int64   `parquet:"readings,delta"`
	SpeedSum           int64   `parquet:"speed_sum"`
	SpeedMax           float32 `parquet:"speed_max"`
	CoolantTempMax     float32 `parquet:"coolant_temp_max"`
	EngineVibrationMax float32 `parquet:"engine_vibration_max"`
	TirePressureMin    int32   `parquet:"tire_pressure_min,delta"`
	BatteryVoltageMin  float32 `parquet:"battery_voltage_min"`
	CurrentDrawSum     int64   `parquet:"current_draw_sum"`
	Anomalies          int64   `parquet:"anomalies,delta"`
	LastSeq            int64   `parquet:"last_seq,delta"`

	// Metrics that came later: null where nothing is known.
	IntakeAirFlowMax float32 `parquet:"intake_air_flow_max,optional"` //bench:change metric encode
	AmbientTempMax   float32 `parquet:"ambient_temp_max,optional"`    //bench:change field encode
}

func newClosedRow(key view.WindowKey, t *view.Tally) closedRow {
	return closedRow{
		CarID: key.CarID, Start: key.Start,
		Readings: t.Readings, SpeedSum: t.SpeedSum, SpeedMax: t.SpeedMax,
		CoolantTempMax: t.CoolantTempMax, EngineVibrationMax: t.EngineVibrationMax,
		TirePressureMin: t.TirePressureMin, BatteryVoltageMin: t.BatteryVoltageMin,
		CurrentDrawSum: t.CurrentDrawSum, Anomalies: t.Anomalies, LastSeq: t.LastSeq,
		IntakeAirFlowMax: t.IntakeAirFlowMax, //bench:change metric encode
		AmbientTempMax:   t.AmbientTempMax,   //bench:change field encode
	}
}

// windowFacts stand in the metadata of a file of windows.
type windowFacts struct {
	Partition int             `json:"partition"`
	First     int64           `json:"first"` // 0 in the first file of a view, wherever that began
	End       int64           `json:"end"`
	Watermark event.Watermark `json:"watermark"` // at End
	Version   string          `json:"version"`
	Rules     event.Rules     `json:"rules"`
}

func newWindowSink(cfg Config, partition int) *windowSink {
	return &windowSink{cfg: cfg, partition: partition}
}

func (s *windowSink) prefix() string { return fmt.Sprintf("p%03d-windows-", s.partition) }

// run follows the live version, whichever that is, until ctx ends.
func (s *windowSink) run(ctx context.Context, m membership) error {
	first := s.cfg.ViewName() // as long as nothing was ever live
	for ctx.Err() == nil {
		if err := s.cfg.tidy(ctx, m, s.partition, s.prefix()); err != nil {
			return err
		}
		now, err := readControl(ctx, s.cfg.Log)
		if err != nil {
			return err
		}
		s.cfg.Version, s.cfg.Views = readName(cmp.Or(now.live, first))
		if err := s.followLive(ctx); err != nil {
			return fmt.Errorf("windows of %s: %w", s.cfg.ViewName(), err)
		}
	}
	return nil
}

// followLive follows cfg.Version until another one is live: then it returns nil. The changelog of
// one that was replaced is deleted, so an error counts only if the version is live still.
func (s *windowSink) followLive(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan error, 1)
	go func() {
		watched <- watchControl(following, s.cfg.Log, func(now standing) error {
			if now.live != "" && now.live != s.cfg.ViewName() {
				stop()
			}
			return nil
		})
		stop() // a control topic that cannot be read ends the rest
	}()
	err := s.follow(following)
	if ended := following.Err() != nil; ended {
		return unlessEnded(ctx, <-watched)
	}
	now, lost := readControl(ctx, s.cfg.Log)
	if lost == nil && now.live != "" && now.live != s.cfg.ViewName() {
		return nil
	}
	return errors.Join(err, lost)
}

// follow reads the changelog of a version from its start and appends what closes.
func (s *windowSink) follow(ctx context.Context) (err error) {
	if err := s.start(ctx); err != nil {
		return err
	}
	reader, err := s.cfg.Log.CompactedReader(ctx, ChangelogTopic(s.cfg.ViewName()), s.partition, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		batch, err := reader.Read(ctx, s.wait())
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if err := s.take(&batch.Records[i]); err != nil {
				return fmt.Errorf("offset %d: %w", batch.Records[i].Offset, err)
			}
		}
		if s.isDue() {
			if err := s.keepsUp(ctx); err != nil {
				return err
			}
			if err := s.roll(); err != nil {
				return err
			}
		}
	}
}

// start finds the position and the watermark to go on from. What was trimmed of the changelog before the first file of a view is
// told, and what was trimmed after one is an error: the chain says that it has all.
func (s *windowSink) start(ctx context.Context) error {
	built, err := s.built(ctx)
	if err != nil {
		return err
	}
	segments, err := scanDataset(s.cfg.windowsDir())
	if err != nil {
		return err
	}
	s.open, s.closed, s.begun = map[int64]map[string]*view.Tally{}, nil, false
	s.position, s.watermark = 0, event.NoWatermark
	chain := longestChain(segments[s.partition])
	if len(chain) == 0 {
		if s.misses(built, event.NoWatermark) {
			s.cfg.notify("windows lost", "version", s.cfg.Version, "partition", s.partition, "before", built.KeptFrom)
		}
		return nil
	}
	var facts windowFacts
	last := chain[len(chain)-1]
	err = withArchiveFile(last.path, func(f *parquet.File) error { return readFacts(f, &facts) })
	if err != nil {
		return fmt.Errorf("%s: %w", last.path, err)
	}
	if facts.Rules != s.cfg.Rules {
		return fmt.Errorf("%s was written under other rules (%+v, now %+v): give the sink another "+
			"folder", last.path, facts.Rules, s.cfg.Rules)
	}
	s.position, s.watermark = last.end, facts.Watermark
	return s.requireKept(built, s.watermark)
}

// built is the processor's last commit, empty before the first. It compares the rules with those that the view is computed
// by: others would call windows closed that still change.
func (s *windowSink) built(ctx context.Context) (built metadata, err error) {
	commits, err := s.cfg.Log.Committed(ctx, group(s.cfg.ViewName()), eventlog.CarsTopic)
	if err != nil || commits[s.partition].Offset < 0 {
		return built, err
	}
	if err := json.Unmarshal([]byte(commits[s.partition].Metadata), &built); err != nil {
		return built, fmt.Errorf("read commit: %w", err)
	}
	if built.Rules != s.cfg.Rules {
		return built, fmt.Errorf("the view is built by other rules (%+v, here %+v): give both the same",
			built.Rules, s.cfg.Rules)
	}
	return built, nil
}

// misses reports whether the changelog was trimmed of windows that were not closed yet under a watermark.
func (s *windowSink) misses(built metadata, w event.Watermark) bool {
	return built.KeptFrom > 0 && !s.cfg.Rules.Closed(built.KeptFrom-s.cfg.Rules.Window, w)
}

func (s *windowSink) requireKept(built metadata, archived event.Watermark) error {
	if !s.misses(built, archived) {
		return nil
	}
	return fmt.Errorf("windows before %s are lost: the changelog was trimmed before they were archived. Run the sink all the time, or "+
		"the processor with a longer --view-retention; another folder begins anew", time.UnixMilli(built.KeptFrom).UTC().Format(time.RFC3339))
}

// take takes in one row of the changelog. Rows of other views are somebody else's.
func (s *windowSink) take(r *eventlog.Record) error {
	switch rowKind(r) {
	case windowRow:
		return s.takeWindow(r)
	case progressRow:
		p, err := readProgress(r.Value)
		if err == nil && p.Position > s.position && (!s.begun || p.Position > s.progress.Position) {
			s.progress, s.begun = p, true
			s.close()
		}
		return err
	default:
		return nil
	}
}

// takeWindow keeps the row of a window that is not archived yet.
func (s *windowSink) takeWindow(r *eventlog.Record) error {
	start, car, err := rowKey(r)
	if err != nil || s.cfg.Rules.Closed(start, s.closedUnder()) {
		return err
	}
	if s.seen, err = readWindow(r.Value, &s.tally, s.seen[:0]); err != nil {
		return err
	}
	cars := s.open[start]
	if cars == nil {
		cars = map[string]*view.Tally{}
		s.open[start] = cars
	}
	held := cars[string(car)]
	if held == nil {
		held = new(view.Tally)
		cars[string(car)] = held
	}
	if s.tally.Readings > held.Readings { // rows of one window only ever grow
		*held = s.tally
	}
	return nil
}

// closedUnder is the watermark whose windows are closed, here or on disk.
func (s *windowSink) closedUnder() event.Watermark {
	if s.begun {
		return s.progress.Watermark
	}
	return s.watermark
}

// close moves the windows that the progress has closed out of the open ones.
func (s *windowSink) close() {
	for start, cars := range s.open {
		if !s.cfg.Rules.Closed(start, s.progress.Watermark) {
			continue
		}
		if len(s.closed) == 0 {
			s.due = time.Now().Add(s.cfg.RollInterval)
		}
		for car, tally := range cars {
			s.closed = append(s.closed, newClosedRow(view.WindowKey{CarID: car, Start: start}, tally))
		}
		delete(s.open, start)
	}
}

// wait is how long to wait for the next row: at most until something is due.
func (s *windowSink) wait() time.Duration {
	if len(s.closed) == 0 {
		return idleWait
	}
	return max(time.Millisecond, time.Until(s.due))
}

func (s *windowSink) isDue() bool {
	return len(s.closed) >= s.cfg.RollRows || len(s.closed) > 0 && !time.Now().Before(s.due)
}

// keepsUp demands that what was read so far was not behind by a whole view retention: it may have been trimmed unread.
func (s *windowSink) keepsUp(ctx context.Context) error {
	if !s.begun {
		return nil
	}
	built, err := s.built(ctx)
	if err != nil {
		return err
	}
	return s.requireKept(built, s.progress.Watermark)
}

// roll publishes what has closed up to the latest progress.
func (s *windowSink) roll() error {
	slices.SortFunc(s.closed, func(a, b closedRow) int {
		return cmp.Or(strings.Compare(a.CarID, b.CarID), cmp.Compare(a.Start, b.Start))
	})
	file, err := newArchiveWriter[closedRow](s.cfg, s.prefix())
	if err != nil {
		return fmt.Errorf("create archive file: %w", err)
	}
	if err := file.write(s.closed); err != nil {
		return errors.Join(fmt.Errorf("write archive file: %w", err), file.abandon())
	}
	end := s.progress.Position
	facts := windowFacts{
		s.partition, s.position, end, s.progress.Watermark, s.cfg.Version, s.cfg.Rules,
	}
	target := segmentPath(s.cfg.windowsDir(), s.partition, s.position, end, s.progress.Newest)
	if err := file.publish(s.cfg, facts, target); err != nil {
		return err
	}
	s.position, s.watermark, s.closed = end, s.progress.Watermark, s.closed[:0]
	s.cfg.notify("archived", "dataset", "windows", "version", s.cfg.Version,
		"partition", s.partition, "position", end, "rows", file.rows)
	return nil
}
