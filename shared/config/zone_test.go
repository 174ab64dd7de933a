package config_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestZone(t *testing.T) {
	noData := func(string) (*time.Location, error) { return nil, errors.New("no data") }
	for _, row := range []struct {
		name, zone string
		load       func(string) (*time.Location, error)
		want       string
		ok         bool
	}{
		{"a zone", "Europe/Paris", time.LoadLocation, "Europe/Paris", true},
		{"UTC", "UTC", time.LoadLocation, "UTC", true},
		{"no such zone", "Europe/Pariss", time.LoadLocation, "UTC", false},
		{"the zone of this machine", "Local", time.LoadLocation, "UTC", false},
		{"the zone of this machine, without data", "Local", noData, "UTC", false},
		{"a zone, without data", "Europe/Paris", noData, "UTC", true},
	} {
		got, ok := config.Zone(row.zone, row.load)
		if got.String() != row.want || ok != row.ok {
			t.Errorf("%s: %s, %t; want %s, %t", row.name, got, ok, row.want, row.ok)
		}
	}
}

func TestLocalTime(t *testing.T) {
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		pim  config.PIM
		want string
	}{
		{"zone of the file", config.PIM{Zone: paris}, "13:00"},
		{"no zone", config.PIM{}, "12:00"},
	} {
		if got := row.pim.Local(noon).Format("15:04"); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}
