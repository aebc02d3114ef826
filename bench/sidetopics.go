package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// What a consumer of a side topic gets that keeps no keys.
const (
	figureAlertsAgain  = "alerts raised again"
	figureLateAgain    = "late events said again"
	figureLettersAgain = "dead letters said again"
)

// judgeSideTopics holds the dead letters, the late events and the alert stream of every arm
// against the truth. They are at-least-once, so what counts is the set of their keys.
//
// The side topics do not depend on the boundary: what is late is a function of the log alone, and
// both speed layer and processor see every offset.
func (x *execution) judgeSideTopics(ctx context.Context, end []int64) error {
	b := x.truth.at(make([]int64, len(end)))
	for _, r := range x.runs() {
		side := x.scenario.like(r.Arm) // its topics are those of the architecture
		dead := map[string]string{}
		for at, reason := range b.DeadLetters {
			dead[keyOf(at)] = string(reason)
		}
		for _, topic := range []sideTopic{
			{"dead letters", ".dead-letters", figureLettersAgain, "records", dead, reasonOf},
			{"late topic", ".late", figureLateAgain, "records", lateKeys(b), lateOf},
			{"alert topic", ".alerts", figureAlertsAgain, "alerts", alertKeys(x.sut.version, b.Alerts), alertOf},
		} {
			again, err := x.judgeTopic(ctx, r.Arm, side, topic)
			if err != nil {
				return err
			}
			if x.after != "" {
				continue
			}
			r.Figures = append(r.Figures, result.Figure{Name: topic.again, Unit: topic.unit, Value: float64(again.count)})
			if again.count > 0 {
				r.Notes = append(r.Notes, again.note(topic.again, side+topic.suffix))
			}
		}
	}
	return nil
}

// A sideTopic is one of an architecture, and what has to be in it.
type sideTopic struct {
	name, suffix string
	again, unit  string // figure of the records that say what an earlier one has said
	want         map[string]string
	read         func(*eventlog.Record) (key, value string, err error)
}

// keyOf is the key of a side record: "<topic>/<partition>/<offset>" of the original.
func keyOf(p oracle.Position) string {
	return fmt.Sprintf("%s/%d/%d", eventlog.CarsTopic, p.Partition, p.Offset)
}

// reasonOf is what a side record says about its original.
func reasonOf(r *eventlog.Record) (key, value string, err error) {
	for _, h := range r.Headers {
		if h.Key == "reason" {
			return string(r.Key), string(h.Value), nil
		}
	}
	return string(r.Key), "", nil
}

// lateKeys say of every late event for which views it was.
func lateKeys(b oracle.Answer) map[string]string {
	views := map[oracle.Position]view.Set{}
	for at := range b.Late {
		views[at] |= view.Windows | view.Alerts
	}
	for at := range b.LateTrips {
		views[at] |= view.Trips
	}
	keys := make(map[string]string, len(views))
	for at, set := range views {
		keys[keyOf(at)] = "late for " + set.String()
	}
	return keys
}

// lateOf is what a record of the late topic says.
func lateOf(r *eventlog.Record) (key, value string, err error) {
	_, reason, err := reasonOf(r)
	for _, h := range r.Headers {
		if h.Key == "views" {
			reason += " for " + string(h.Value)
		}
	}
	return string(r.Key), reason, err
}

func alertKeys(version string, alerts []view.Alert) map[string]string {
	keys := make(map[string]string, len(alerts))
	for _, a := range alerts {
		keys[fmt.Sprintf("%s/%s/%d", version, a.CarID, a.Seq)] = a.Rule.String()
	}
	return keys
}

func alertOf(r *eventlog.Record) (key, value string, err error) {
	var a struct {
		Version string `json:"version"`
		CarID   string `json:"car_id"`
		Seq     int64  `json:"seq"`
		Rule    string `json:"rule"`
	}
	if err := json.Unmarshal(r.Value, &a); err != nil {
		return "", "", fmt.Errorf("read alert: %w", err)
	}
	return fmt.Sprintf("%s/%s/%d", a.Version, a.CarID, a.Seq), a.Rule, nil
}

// judgeTopic holds a topic of an architecture against the truth and returns which of its records say what an
// earlier one has said.
func (x *execution) judgeTopic(ctx context.Context, arm, side string, topic sideTopic) (again repeats, err error) {
	got, again, err := readKeys(ctx, x.sut.log, side+topic.suffix, topic.read)
	if err != nil {
		return again, err
	}
	missing, unexpected := setDiff(topic.want, got)
	x.checkAnswer(arm, topic.name+x.after, missing+unexpected == "", "%d entries%s%s", len(topic.want), missing, unexpected)
	return again, nil
}

// readKeys reads a whole topic as a map, and finds the records whose key was there already.
func readKeys(
	ctx context.Context, log *eventlog.Log, topic string,
	read func(*eventlog.Record) (key, value string, err error),
) (all map[string]string, again repeats, err error) {
	if err := awaitStable(ctx, log, topic); err != nil {
		return nil, again, err
	}
	end, err := log.EndOffsets(ctx, topic)
	if err != nil {
		return nil, again, err
	}
	start, err := log.StartOffsets(ctx, topic)
	if err != nil {
		return nil, again, err
	}
	all, at := map[string]string{}, map[string]int64{}
	for p := range end {
		follows := false // the record before is a repeat as well
		err := eachRecord(ctx, log, topic, p, start[p], end[p], func(r *eventlog.Record) error {
			key, value, err := read(r)
			earlier, known := at[key]
			if known {
				again.add(p, r.Offset, earlier, follows)
			}
			all[key], at[key], follows = value, r.Offset, known
			return err
		})
		if err != nil {
			return nil, again, fmt.Errorf("read topic %s: %w", topic, err)
		}
	}
	return all, again, nil
}

// eachRecord reads [from, end) of one partition.
func eachRecord(
	ctx context.Context, log *eventlog.Log, topic string, partition int, from, end int64,
	each func(*eventlog.Record) error,
) error {
	if from >= end {
		return nil
	}
	reader, err := log.Reader(ctx, topic, partition, from)
	if err != nil {
		return err
	}
	defer reader.Close()
	for at := from; at < end; {
		batch, err := reader.Read(ctx, time.Second)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if batch.Records[i].Offset >= end {
				break
			}
			if err := each(&batch.Records[i]); err != nil {
				return err
			}
		}
		at = batch.Next
	}
	return nil
}

// setDiff names what is only in want and what is only in got or differs there.
func setDiff(want, got map[string]string) (missing, unexpected string) {
	var lost, extra []string
	for key, value := range want {
		if got[key] != value {
			lost = append(lost, key)
		}
	}
	for key := range maps.Keys(got) {
		if _, planned := want[key]; !planned {
			extra = append(extra, key)
		}
	}
	return listed(", missing or different", lost), listed(", unexpected", extra)
}

func listed(what string, keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %d, such as %s", what, len(keys), strings.Join(keys[:min(3, len(keys))], ", "))
}

// stableLimit is how long a transaction may be open that nobody goes on with: their timeout is 10 s, and Kafka
// looks for them every 10 s.
const stableLimit = 30 * time.Second

func awaitStable(ctx context.Context, log *eventlog.Log, topic string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stableLimit,
		fmt.Errorf("%s has a transaction that is open after %s", topic, stableLimit))
	defer cancel()
	if err := log.AwaitStable(ctx, topic); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}
