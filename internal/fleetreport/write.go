package fleetreport

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// Formats are the names of the ways to write a report.
var Formats = []string{"text", "json", "csv"}

// Write writes the report in one of the [Formats]. CSV has the rows of cars alone.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.writeText(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "csv":
		return r.writeCSV(w)
	}
	return fmt.Errorf("format %q: must be one of %v", format, Formats)
}

// writeText writes the days of the fleet as a table.
func (r *Report) writeText(w io.Writer) error {
	fmt.Fprintf(w, "Fleet report, complete up to append time %s\n", stamp(r.Complete.AppendTime))
	for _, p := range r.Complete.Partitions {
		fmt.Fprintf(w, "  partition %d: offsets [%d, %d), newest appended %s, newest measured %s\n",
			p.Partition, p.First, p.End, stamp(p.NewestAppend), stamp(p.NewestEvent))
	}
	fmt.Fprintf(w, "%d readings; left out: %d duplicates, %d conflicts, %d dead letters\n\n",
		r.Readings, r.Duplicates, r.Conflicts, r.DeadLetter)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "day\tcars\treadings\tkm\tmean m/s\tmax m/s\tworst tyre\thottest\tweakest battery\t")
	for _, d := range r.Days {
		f := &d.Fleet
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.2f\t%.2f\t%d psi %s %s\t%.1f °C %s\t%.1f V %s\t\n",
			d.Date, f.CarsActive, f.Readings, f.DistanceM/1000, f.SpeedMean, f.SpeedMax,
			f.WorstTire.PSI, f.WorstTire.Car, f.WorstTire.Tire,
			f.Hottest.CoolantTemp, f.Hottest.Car, f.WeakestBattery.Voltage, f.WeakestBattery.Car)
	}
	return t.Flush()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339Nano)
}

// writeCSV writes a row per day and car.
func (r *Report) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{
		"date", "car_id", "readings", "distance_m", "speed_mean", "speed_max", "coolant_temp_max",
		"battery_voltage_min", "tire_pressure_min", "worst_tire",
	}}
	for _, d := range r.Days {
		for i := range d.Cars {
			car := &d.Cars[i]
			rows = append(rows, []string{
				d.Date, car.Car, strconv.FormatInt(car.Readings, 10), decimal(car.DistanceM, 64),
				decimal(car.SpeedMean, 64), decimal(float64(car.SpeedMax), 32),
				decimal(float64(car.CoolantTempMax), 32), decimal(float64(car.BatteryVoltageMin), 32),
				strconv.Itoa(int(car.TirePressureMin)), car.WorstTire,
			})
		}
	}
	return c.WriteAll(rows)
}

func decimal(x float64, bits int) string { return strconv.FormatFloat(x, 'g', -1, bits) }
