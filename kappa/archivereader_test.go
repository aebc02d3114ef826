package kappa

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/event"
)

// randomRows are rows in which no two columns agree; known says where the later field is known.
func randomRows(n int, known func(i int) bool) []archiveRow {
	random := rand.New(rand.NewPCG(1, 2))
	rows := make([]archiveRow, n)
	for i := range rows {
		x := func() float32 { return random.Float32() }
		n := func() int32 { return random.Int32() }
		e := event.CarSensor{
			CarID: carName(random.IntN(100)), Seq: random.Int64(), EventTime: random.Int64(),
			CoolantTemp: x(), IntakeAirTemp: x(), IntakeAirFlowSpeed: x(), BatteryPercentage: x(),
			BatteryVoltage: x(), CurrentDraw: x(), Speed: x(), EngineVibrationAmplitude: x(),
			ThrottlePos: x(), TirePressure11: n(), TirePressure12: n(), TirePressure21: n(),
			TirePressure22: n(), Accelerometer11: x(), Accelerometer12: x(), Accelerometer21: x(),
			Accelerometer22: x(), ControlUnitFirmware: n(),
		}
		if known(i) {
			e.AmbientTemp = 1 + x()
		}
		rows[i] = newArchiveRow(&e, int64(i), random.Int64(), random.Int64(), random.Uint32())
	}
	return rows
}

// archiveOf writes rows, in groups of a size, into a file whose metadata say what its name does.
func archiveOf[Row any](t testing.TB, rows []Row, group int) segment {
	t.Helper()
	s := segment{end: int64(len(rows))}
	s.path = filepath.Join(t.TempDir(), segmentName(0, 0, s.end))
	require.NoError(t, parquet.WriteFile(s.path, rows, parquet.MaxRowsPerRowGroup(int64(group)),
		parquet.KeyValueMetadata(factsKey, `{"end":`+strconv.Itoa(len(rows))+`}`)))
	return s
}

// readAllOf reads a file by columns.
func readAllOf(archive *archiveReader, s segment) (read []archivedEvent, err error) {
	var facts segmentFacts
	err = archive.read(s, &facts, func() error {
		for i := range archive.rows {
			read = append(read, *archive.event(i))
		}
		return nil
	})
	return read, err
}

// archived is a row as it has to be read.
func archived(r *archiveRow) archivedEvent {
	return archivedEvent{
		Offset: r.Offset, AppendTime: r.AppendTime, Intended: r.Intended, Fingerprint: r.Fingerprint,
		CarSensor: event.CarSensor{
			CarID: r.CarID, Seq: r.Seq, EventTime: r.EventTime,
			CoolantTemp: r.CoolantTemp, IntakeAirTemp: r.IntakeAirTemp,
			IntakeAirFlowSpeed: r.IntakeAirFlowSpeed, BatteryPercentage: r.BatteryPercentage,
			BatteryVoltage: r.BatteryVoltage, CurrentDraw: r.CurrentDraw, Speed: r.Speed,
			EngineVibrationAmplitude: r.EngineVibrationAmplitude, ThrottlePos: r.ThrottlePos,
			TirePressure11: r.TirePressure11, TirePressure12: r.TirePressure12,
			TirePressure21: r.TirePressure21, TirePressure22: r.TirePressure22,
			Accelerometer11: r.Accelerometer11, Accelerometer12: r.Accelerometer12,
			Accelerometer21: r.Accelerometer21, Accelerometer22: r.Accelerometer22,
			ControlUnitFirmware: r.ControlUnitFirmware, AmbientTemp: r.AmbientTemp,
		},
	}
}

// Ensure that every field of every row comes back: over several pages and row groups, with the later
// field known anywhere or nowhere, and by a reader that has read other files before.
func TestArchiveByColumns(t *testing.T) {
	const rows = 100_000 // pages of columns end at different rows
	archive := newArchiveReader()
	for name, known := range map[string]func(i int) bool{
		"all":               func(int) bool { return true },
		"none":              func(int) bool { return false },
		"some":              func(i int) bool { return i%7 < 3 },
		"from the middle":   func(i int) bool { return i > rows/2+3 },
		"until the middle ": func(i int) bool { return i < rows/2+3 },
	} {
		for _, group := range []int{rows, 30_001} {
			written := randomRows(rows, known)
			read, err := readAllOf(archive, archiveOf(t, written, group))
			require.NoError(t, err, name)
			require.Equal(t, rows, len(read))
			for i := range read {
				if want := archived(&written[i]); want != read[i] {
					require.Equal(t, want, read[i], "%s, row %d", name, i)
				}
			}
		}
	}
}

// Ensure that a file from before a field, or of Lambda, has zeros for what it lacks, also after a file
// that has it; and that no other column may be missing.
func TestArchiveWithoutLaterColumns(t *testing.T) {
	archive := newArchiveReader()
	written := randomRows(10, func(int) bool { return true })
	s := archiveOf(t, written, 10)
	_, err := readAllOf(archive, s)
	require.NoError(t, err)

	without := func(names ...string) segment {
		t.Helper()
		nodes := parquet.Group{}
		for _, f := range parquet.SchemaOf(archiveRow{}).Fields() {
			nodes[f.Name()] = f
		}
		for _, name := range names {
			delete(nodes, name)
		}
		older := segment{end: 10, path: filepath.Join(t.TempDir(), "older.parquet")}
		file, err := os.Create(older.path)
		require.NoError(t, err)
		w := parquet.NewGenericWriter[archiveRow](file, parquet.NewSchema("older", nodes),
			parquet.KeyValueMetadata(factsKey, `{"end":10}`))
		_, err = w.Write(written)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, file.Close())
		return older
	}
	read, err := readAllOf(archive, without("ambient_temp", "intended"))
	require.NoError(t, err)
	require.Len(t, read, 10)
	for i := range read {
		want := archived(&written[i])
		want.AmbientTemp, want.Intended = 0, 0
		require.Equal(t, want, read[i])
	}
	_, err = readAllOf(archive, without("speed"))
	require.ErrorContains(t, err, "column speed is missing")
	_, err = readAllOf(archive, without("car_id"))
	require.ErrorContains(t, err, "column car_id is missing")
}

// Ensure that a bit that flips in a file of events is an error and not another event.
func TestDamagedArchive(t *testing.T) {
	s := archiveOf(t, randomRows(1000, func(i int) bool { return i%2 == 0 }), 1000)
	whole, err := os.ReadFile(s.path)
	require.NoError(t, err)
	f := func(name string, content []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(s.path, content, 0o644))
		_, err := readAllOf(newArchiveReader(), s)
		require.Error(t, err, name)
	}
	f("empty", nil)
	f("truncated", whole[:len(whole)/2])
	for at := 10; at < len(whole)*9/10; at += len(whole) / 50 { // in the pages
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 0x10
		f("byte "+strconv.Itoa(at), flipped)
	}
}

// Ensure that reading allocates for cars and pages and not for rows.
func TestArchiveAllocations(t *testing.T) {
	const rows = 100_000
	s := archiveOf(t, randomRows(rows, func(int) bool { return true }), rows)
	archive := newArchiveReader()
	allocated := testing.AllocsPerRun(1, func() {
		var facts segmentFacts
		require.NoError(t, archive.read(s, &facts, func() error {
			for i := range archive.rows {
				archive.event(i)
			}
			return nil
		}))
	})
	require.Less(t, allocated, rows/20.0)
}
