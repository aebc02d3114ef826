package bench

import (
	"context"
	"path/filepath"
)

// sinkPart is Kappa's archive behind its pipeline, which runs only where a scenario needs it.
var sinkPart = part{name: "kappa sink", group: true, patient: true}

// archive is the folder of an arm's archive.
func (a *arm) archive() string { return filepath.Join(a.sut.dir, "archive") }

// launchSink starts the archive and waits until it is ready.
func (a *arm) launchSink(ctx context.Context) error {
	if err := a.launch(sinkPart, "--background", "--dir", a.archive()); err != nil {
		return err
	}
	return a.parts[sinkPart.name].ready(ctx)
}
