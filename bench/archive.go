package bench

import (
	"context"
	"path/filepath"
)

// sinkPart is Kappa's archive behind its pipeline, which runs only where a scenario needs it.
var sinkPart = part{name: "kappa sink", group: true, patient: true}

// republishPart writes an archive back into the log, and goes on with the log, for a replay to read.
var republishPart = part{name: "kappa republish"}

// republishedTopic is the copy of the log that it keeps.
const republishedTopic = "cars.again"

// archive is the folder of an arm's archive.
func (a *arm) archive() string { return filepath.Join(a.sut.dir, "archive") }

// launchSink starts the archive and waits until it is ready. Reports and replays read events, so it does
// without the closed windows, which Lambda's ingest does not write either.
func (a *arm) launchSink(ctx context.Context) error {
	if err := a.launch(sinkPart, "--background", "--windows=false", "--dir", a.archive()); err != nil {
		return err
	}
	return a.parts[sinkPart.name].Ready(ctx)
}

// launchRepublish starts the copy. A replay that is started beside it finds the topic when it is there.
func (a *arm) launchRepublish(ctx context.Context) error {
	err := a.launch(republishPart, "--archive", a.archive(), "--topic", republishedTopic, "--follow")
	if err != nil {
		return err
	}
	return a.parts[republishPart.name].Ready(ctx)
}
