package systemtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// An answer is everything that a side says about the log.
type answer struct {
	status      httpapi.Status
	stamp       httpapi.Stamp // of the rows
	windows     view.Table[view.WindowKey, view.Window]
	alerts      view.Table[view.AlertKey, view.Alert]
	trips       view.Table[view.TripKey, view.Trip] // empty when they are not kept
	deadLetters map[oracle.Position]event.Reason
	late        map[oracle.Position]view.Set // the views that did without the event
}

func (a *answer) boundary() []int64 {
	boundary := make([]int64, len(a.status.Partitions))
	for _, p := range a.status.Partitions {
		boundary[p.Partition] = p.Boundary
	}
	return boundary
}

// settled reports whether the answers reflect the log up to ends, exactly.
func settled(s httpapi.Status, ends []int64) bool {
	if len(s.Partitions) != len(ends) {
		return false
	}
	for _, p := range s.Partitions {
		if p.Position != ends[p.Partition] {
			return false
		}
	}
	return true
}

// settle waits until the side's answers reflect the whole log.
func (w *world) settle(s *side) error {
	return w.await(s.name()+" to settle", func() (bool, error) {
		status, err := s.status(w)
		if err != nil {
			return false, err
		}
		return settled(status, w.ends) && !w.isBehindDeployment(status), fmt.Errorf("status %+v", status)
	})
}

// isBehindDeployment reports whether Lambda's serving, after a restart, still answers from the speed view that was
// begun before the first batch run, and before the deployment: of that one it does not know the version.
func (w *world) isBehindDeployment(s httpapi.Status) bool {
	return w.deployed && s.Architecture == "lambda" && s.Generation == 0
}

func (s *side) status(w *world) (httpapi.Status, error) {
	client := s.client()
	if client == nil {
		return httpapi.Status{}, errors.New("nobody serves")
	}
	defer client.Close()
	return client.Status(w.ctx)
}

// ask fetches everything once, from a side that has settled. Rows are fetched in both formats,
// which have to agree.
func (w *world) ask(s *side) (*answer, error) {
	client := s.client()
	if client == nil {
		return nil, fmt.Errorf("ask %s: nobody serves", s.name())
	}
	defer client.Close()
	var a answer
	var err error
	if a.status, err = client.Status(w.ctx); err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.name(), err)
	}
	if err := w.askRows(client, &a); err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.name(), err)
	}
	if err := w.askSideTopics(s, &a); err != nil {
		return nil, fmt.Errorf("read side topics of %s: %w", s.name(), err)
	}
	if s.falsify != nil {
		s.falsify(&a)
	}
	return &a, nil
}

func (w *world) askRows(client *httpapi.Client, a *answer) error {
	windows, stamp, err := client.Windows(w.ctx, httpapi.All())
	if err != nil {
		return err
	}
	alerts, _, err := client.Alerts(w.ctx, httpapi.All())
	if err != nil {
		return err
	}
	trips, _, err := keptTrips(w.ctx, client.Trips)
	if err != nil {
		return err
	}
	a.stamp = stamp
	if a.trips, err = view.NewTable(trips); err != nil {
		return err
	}
	if a.windows, err = view.NewTable(windows); err != nil {
		return err
	}
	if a.alerts, err = view.NewTable(alerts); err != nil {
		return err
	}
	return w.askRowsAgain(client, a)
}

// keptTrips asks for all trips; there are none where they are not kept.
func keptTrips(
	ctx context.Context, ask func(context.Context, httpapi.Range) ([]view.Trip, httpapi.Stamp, error),
) ([]view.Trip, bool, error) {
	trips, _, err := ask(ctx, httpapi.All())
	var bad *httpapi.Error
	if errors.As(err, &bad) && bad.Code == http.StatusNotFound {
		return nil, false, nil
	}
	return trips, true, err
}

// askRowsAgain asks for the same rows as JSON.
func (w *world) askRowsAgain(client *httpapi.Client, a *answer) error {
	windows, _, err := client.WindowsJSON(w.ctx, httpapi.All())
	if err != nil {
		return err
	}
	alerts, _, err := client.AlertsJSON(w.ctx, httpapi.All())
	if err != nil {
		return err
	}
	trips, kept, err := keptTrips(w.ctx, client.TripsJSON)
	if err != nil {
		return err
	}
	if kept != a.status.Views.Has(view.Trips) {
		return fmt.Errorf("the status has views %s, and trips are served: %t", a.status.Views, kept)
	}
	tripTable, err := view.NewTable(trips)
	if err != nil {
		return err
	}
	windowTable, err := view.NewTable(windows)
	if err != nil {
		return err
	}
	alertTable, err := view.NewTable(alerts)
	if err != nil {
		return err
	}
	if !slices.Equal(windowTable, a.windows) || !slices.Equal(alertTable, a.alerts) ||
		!slices.Equal(tripTable, a.trips) {
		return errors.New("the rows as JSON are not the rows as Arrow")
	}
	return nil
}

// askSideTopics waits until there are as many dead letters and late events as there have to be,
// because their writers are not who the served position speaks for. Then it reads them all.
func (w *world) askSideTopics(s *side, a *answer) error {
	o, err := w.oracle()
	if err != nil {
		return err
	}
	owed := o.TruthB() // of both sides: the boundary changes neither topic
	owedLate := w.everLate(owed)
	deadTopic, lateTopic := s.sideTopics()
	return w.await("side topics", func() (bool, error) {
		dead, err := w.readSide(deadTopic)
		if err != nil {
			return false, err
		}
		late, err := w.readSide(lateTopic)
		if err != nil {
			return false, err
		}
		a.deadLetters = map[oracle.Position]event.Reason{}
		for at, s := range dead {
			a.deadLetters[at] = s.reason
		}
		a.late = map[oracle.Position]view.Set{}
		for at, s := range late {
			a.late[at] = s.views
		}
		// More than is owed is wrong too, but waiting makes it no better.
		return w.keep > 0 || len(dead) >= len(owed.DeadLetters) && len(late) >= len(owedLate),
			fmt.Errorf("%d dead letters of %d, %d late of %d",
				len(dead), len(owed.DeadLetters), len(late), len(owedLate))
	})
}

// A said is what a side topic says about an event.
type said struct {
	reason event.Reason
	views  view.Set // that did without it; of a late event only
}

// readSide reads a side topic, once per key, and holds every record against the event that it is
// a copy of.
func (w *world) readSide(topic string) (map[oracle.Position]said, error) {
	records, err := readLog(w.ctx, w.log, topic)
	if err != nil {
		return nil, err
	}
	found := map[oracle.Position]said{}
	for place, r := range records {
		var at oracle.Position
		format := eventlog.CarsTopic + "/%d/%d"
		if _, err := fmt.Sscanf(string(r.Key), format, &at.Partition, &at.Offset); err != nil {
			return nil, fmt.Errorf("%s: key %q names no event", topic, r.Key)
		}
		original := w.sent[at]
		switch {
		case place.Partition != at.Partition:
			return nil, fmt.Errorf("%s: %s is in partition %d", topic, r.Key, place.Partition)
		case !bytes.Equal(original.Value, r.Value), !bytes.Equal(original.Key, r.Header("key")):
			return nil, fmt.Errorf("%s: %s is not what was sent", topic, r.Key)
		}
		var views view.Set
		if err := views.UnmarshalText(r.Header("views")); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", topic, r.Key, err)
		}
		found[at] = said{event.Reason(r.Header("reason")), views}
	}
	return found, nil
}
