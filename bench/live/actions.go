package live

import (
	"fmt"
	"strings"
)

// actions are the buttons, in the order in which they are shown.
func (b *buttons) actions() []Action {
	all := []Action{
		{
			Do: Late, Group: "events", Label: "Late burst", Takes: 2,
			What:    "Cars that were in a tunnel send what they measured a minute ago: later than any window waits.",
			Watch:   "Both sides drop it as late, and lack those readings. The first batch run that begins after ingest has written them (2 s) counts them in on Lambda; Kappa lacks them until a replay that waits longer.",
			Numbers: []string{"accuracy", "late", "dropped_late"},
		},
		{
			Do: Duplicates, Group: "events", Label: "Duplicates", Takes: burstFor.Seconds() + 60,
			What:    "A fleet sends for ten seconds, and every second reading twice: half of them at once, some up to a minute later.",
			Watch:   "They are counted as duplicates, or as late when their window has closed, and no window counts a reading twice: exact stays 100 %, on both sides.",
			Numbers: []string{"accuracy", "wrong", "duplicates"},
		},
		{
			Do: Poison, Group: "events", Label: "Poison", Takes: burstFor.Seconds(),
			What:    "For ten seconds, payloads come that nobody can decode, and cars whose clocks are far ahead.",
			Watch:   "They go to the dead letters with their reason. Nothing stops, no window closes too early, and the other readings count.",
			Numbers: []string{"dead_letters", "accuracy", "lag"},
		},
		{
			Do: Spike, Group: "events", Label: fmt.Sprintf("Spike x%d", spikeFactor), Takes: burstFor.Seconds(),
			What:    fmt.Sprintf("For ten seconds, %d times as many events come.", spikeFactor),
			Watch:   "Lag and freshness rise while it lasts, if this machine cannot keep up, and fall again at once afterwards: who drains sooner?",
			Numbers: []string{"rate", "lag", "freshness", "cpu"},
		},
	}
	kills := map[string][2]string{
		ingestPart:  {"The master dataset stops growing.", "Merged answers stay fresh, for the speed layer reads the log; the batch view grows older until ingest is back."},
		batchPart:   {"No batch run any more.", "The age of the batch view rises in a straight line, merged answers stay fresh; late readings are not repaired until it is back."},
		speedPart:   {"Nobody folds new events.", "Lambda's freshness rises, and falls to the batch view's at every batch run. Back again, it waits until its group has given up the dead one (6 s after the kill), and rebuilds its view from the log."},
		lambdaServe: {"Nobody answers for Lambda.", "The other layers work on; back again, it loads the newest batch view and the speed view."},
		processPart: {"Nobody folds new events.", "Kappa's freshness rises in a straight line: there is no second layer. Back again, it waits until its group has given up the dead one (6 s after the kill), restores its state from the changelog and catches up; nothing is lost or doubled."},
		kappaServe:  {"Nobody answers for Kappa.", "The processor works on; back again, it reads the changelog."},
	}
	for _, p := range parts {
		says, ok := kills[p.Name]
		if !ok {
			continue
		}
		all = append(all, Action{
			Do: Kill, Part: p.Name, Group: "parts", Side: p.Side, Label: "Kill " + strings.TrimPrefix(p.Name, p.Side+" "), Toggle: true,
			What: "Kills the process as a crash would. " + says[0], Watch: says[1],
			Numbers: []string{"freshness", "lag", "accuracy"},
		})
	}
	all = append(all,
		Action{
			Do: brokerDown, Group: "parts", Label: fmt.Sprintf("Broker down, %d s", int(brokerAway.Seconds())), Takes: brokerAway.Seconds() + 2,
			What:    "Kills the broker and starts it again. What it had acknowledged it still has.",
			Watch:   "Both sides answer from what they have and grow older alike; the generator sends what was due as soon as the broker is back, and nothing is lost.",
			Numbers: []string{"freshness", "rate", "lag", "accuracy"},
		},
		Action{
			Do: deploy, Part: Lambda, Group: "logic", Side: Lambda, Label: "Deploy to both layers", Choices: versions, Takes: 1,
			What:    "Starts the batch layer with that version of the logic (v2 repairs the detector); the speed layer follows it.",
			Watch:   "One batch run later all answers change at once, and no row is of the other version.",
			Numbers: []string{"version", "mixed", "alerts", "cpu"},
		},
		Action{
			Do: deployBatch, Group: "logic", Side: Lambda, Label: "Deploy to the batch layer only", Choices: versions, Takes: 1,
			What:    "The mistake of two code bases: the batch layer gets that version, and the speed layer is left behind.",
			Watch:   "Windows since the last batch run are of the other version, and nothing but the oracle says so: most of them with a batch interval of 30s or more.",
			Numbers: []string{"version", "mixed", "wrong", "accuracy"},
		},
		Action{
			Do: deploy, Part: Kappa, Group: "logic", Side: Kappa, Label: "Replay and cut over", Choices: versions, Takes: 1,
			What:    "A second processor with that version reads the log again from its start, into a view of its own; serving changes over when it has caught up.",
			Watch:   "Answers change at once and never mix; during the replay the CPU of the replay comes on top, and freshness should stay.",
			Numbers: []string{"version", "mixed", "alerts", "freshness", "cpu"},
		},
		Action{
			Do: setInterval, Group: "logic", Side: Lambda, Label: "Batch interval", Choices: []string{"5s", "10s", "30s", "1m0s"}, Takes: 1,
			What:    "Starts the batch layer with another time between two runs.",
			Watch:   "The saw teeth of the batch view's age grow or shrink with it, merged answers stay as fresh; late readings wait that long for their repair, and CPU goes the other way.",
			Numbers: []string{"freshness", "boundary", "generation", "cpu"},
		},
	)
	return all
}
