package datagen_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"lambdakappa/datagen"
)

func TestParquetHoldsEveryEventWithItsTruth(t *testing.T) {
	spec := fleet(9, 60, 2*time.Minute)
	spec.Disturbances = datagen.BadDay()
	var file bytes.Buffer
	n, err := datagen.WriteParquet(&file, spec.Stream())
	require.NoError(t, err)

	rows, err := parquet.Read[datagen.LabelledRow](bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	require.EqualValues(t, n, len(rows))
	st := spec.Stream()
	var p datagen.Planned
	for _, row := range rows {
		for st.Next(&p) && p.Kind == datagen.Malformed {
		}
		require.Equal(t, p.Event.CarID, row.CarID)
		require.Equal(t, p.Event.Seq, row.Seq)
		require.Equal(t, p.Event.EventTime, row.EventTime)
		require.Equal(t, p.Intended, row.Intended)
		require.Equal(t, p.Kind.String(), row.Kind)
		require.Equal(t, p.Labels.String(), row.Failure)
		require.Equal(t, p.Event.Accelerometer22, row.Accelerometer22)
		require.Equal(t, p.Event.ControlUnitFirmware, row.ControlUnitFirmware)
	}
	for st.Next(&p) {
		require.Equal(t, datagen.Malformed, p.Kind)
	}
}

// Ensure that a full disk is an error and not a short file.
func TestExportsReportAFailingWriter(t *testing.T) {
	spec := fleet(9, 60, 2*time.Minute)
	_, err := datagen.WriteCSV(fullDisk{}, spec.Stream())
	require.ErrorIs(t, err, errFull)
	_, err = datagen.WriteParquet(fullDisk{}, spec.Stream())
	require.ErrorIs(t, err, errFull)
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
