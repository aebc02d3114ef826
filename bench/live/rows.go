package live

import (
	"context"
	"strconv"
	"strings"
	"time"

	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// lookAtRows holds rows against the truth: those of the newest windows, or of all that are judged.
func (o *observer) lookAtRows(ctx context.Context, all bool) {
	api := o.api()
	if api == nil {
		o.showCars(nil, nil)
		return
	}
	now := time.Now()
	to := now.UnixMilli()
	from := now.Add(-newestRows).UnixMilli()
	if all {
		from = now.Add(-judged).UnixMilli()
	}
	window := o.referee.rules.Window
	from = (from/window + 1) * window
	rows, stamp, err := api.Windows(ctx, httpapi.Range{From: from, To: to})
	if err != nil {
		return // it was killed meanwhile: what was seen last stands
	}
	alerts, _, err := api.Alerts(ctx, httpapi.Range{From: now.Add(-alertsOf).UnixMilli(), To: to})
	if err != nil {
		return
	}
	found := o.referee.judge(stamp.Version, rows, from, to)
	o.mu.Lock()
	for start := range o.byStart {
		if start >= from || start < now.Add(-judged).UnixMilli() {
			delete(o.byStart, start)
		}
	}
	for start, v := range found {
		o.byStart[start] = v
	}
	o.seen.Accuracy, o.seen.Mixed, o.seen.Alerts = Accuracy{}, 0, int64(len(alerts))
	for _, v := range o.byStart {
		o.seen.Accuracy = o.seen.Accuracy.plus(v.accuracy)
		o.seen.Mixed += v.mixed
	}
	o.mu.Unlock()
	o.showCars(rows, alerts)
}

// showCars notes for every car how old what is known of it is, and whether it has raised an alert.
func (o *observer) showCars(rows []view.Window, alerts []view.Alert) {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if rows == nil { // nobody answers: what was known grows older
		for i, c := range o.cars {
			if c >= '0' && c < '9' {
				o.cars[i]++
			}
		}
		return
	}
	for i := range o.cars {
		o.cars[i] = '.'
	}
	fleet := o.stage.fleet
	for _, w := range rows {
		if car, ok := o.carOf(w.CarID); ok {
			age := now.Sub(time.Unix(0, fleet.Intended(car, w.LastSeq))) / time.Second
			age = min(max(age, 0), 9)
			if mark := byte('0' + age); o.cars[car] == '.' || mark < o.cars[car] {
				o.cars[car] = mark
			}
		}
	}
	for _, a := range alerts {
		if car, ok := o.carOf(a.CarID); ok && now.Sub(time.UnixMilli(a.EventTime)) < flaggedFor {
			o.cars[car] = 'A'
		}
	}
}

// carOf is the index of a car of the fleet that sends all the time; false for others.
func (o *observer) carOf(id string) (int, bool) {
	car, err := strconv.Atoi(strings.TrimPrefix(id, "car-"))
	return car, err == nil && car < o.stage.cfg.Cars
}
