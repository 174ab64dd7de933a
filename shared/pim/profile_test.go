package pim_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

func TestALaunchNamesItsExecution(t *testing.T) {
	for _, row := range []struct {
		name    string
		form    pimtest.LaunchForm
		want    string
		numeric bool
	}{
		{"a number", pimtest.LaunchNumber, "4711", true},
		{"a text", pimtest.LaunchText, "4711", true},
		{"a UUID", pimtest.LaunchUUID, "0f4b4cb2-4b6d-4f0e-8a52-000000004711", false},
		{"nothing", pimtest.LaunchSilent, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			f.pim.AnswerLaunches(row.form)
			id, err := f.Launch(t.Context(), pim.Export, "csv_product_export")
			if err != nil || id != row.want || pim.Numeric(id) != row.numeric {
				t.Errorf("%q, %v", id, err)
			}
			if all := f.pim.Executions(); len(all) != 1 || all[0].Profile.Code != "csv_product_export" {
				t.Errorf("executions %+v", all)
			}
		})
	}
}

// Whatever a 2xx holds, the profile runs.
func TestALaunchsAnswerOfAnotherShape(t *testing.T) {
	for text, want := range map[string]string{
		`{"job_execution_id":"4711","execution_id":"1"}`: "4711", `{"job_execution_id":null,"execution_id":12}`: "12", `{"job_execution_id":1.5}`: "", `{"job_execution_id":-1}`: "",
		`{"job_execution_id":{}}`: "", `[]`: "", ``: "", `no JSON`: "", `{"execution_id":"` + strings.Repeat("x", 65) + `"}`: "",
	} {
		f := newFixture(t)
		f.connect(t, played(http.StatusCreated, text))
		if id, err := f.Launch(t.Context(), pim.Import, "csv_product_import"); err != nil || id != want {
			t.Errorf("%q: %q, %v", text, id, err)
		}
	}
}

// What begins something is made again only where the PIM has certainly not begun it.
func TestALaunchIsNotRepeatedWhereItMayHaveBegun(t *testing.T) {
	for _, row := range []struct {
		name     string
		spoil    func(*pimtest.PIM)
		launches int
		fails    bool
		unmade   bool
	}{
		{"busy for a moment", func(p *pimtest.PIM) { p.Throttle(1, "2") }, 1, false, false},
		{"busy for an hour", func(p *pimtest.PIM) { p.Throttle(1, "3600") }, 0, true, true},
		{"the token has ended", func(p *pimtest.PIM) { p.Revoke() }, 1, false, false},
		{"not allowed", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/jobs", 403, 1) }, 0, true, true},
		{"a request timeout", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/jobs", 408, 1) }, 0, true, false},
		{"the answer is lost", func(p *pimtest.PIM) { p.Lose("/api/rest/v1/jobs", 1) }, 1, true, false},
		{"away", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/jobs", 502, 1) }, 0, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture(t)
			if _, err := f.SystemInformation(t.Context()); err != nil { // the token is there
				t.Fatal(err)
			}
			row.spoil(f.pim)
			_, err := f.Launch(t.Context(), pim.Export, "csv_product_export")
			if (err != nil) != row.fails || pim.Unmade(err) != row.unmade || len(f.pim.Executions()) != row.launches {
				t.Errorf("%v, unmade %v, %d launches", err, pim.Unmade(err), len(f.pim.Executions()))
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		client := outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})
		_, err := client.Do(t.Context(), outbound.Request{Method: "POST", URL: server.URL})
		if failed, ok := errors.AsType[*outbound.Error](err); !ok || !failed.Unsent() {
			t.Errorf("%v", err)
		}
	})
}

func TestAProfileThatIsNotThere(t *testing.T) {
	f := newFixture(t)
	for code, direction := range map[string]string{"no_such_profile": pim.Export, "csv_product_import": pim.Export, "a/b": pim.Import} {
		_, err := f.Launch(t.Context(), direction, code)
		failed, ok := errors.AsType[*pim.Error](err)
		if !ok || !failed.NotFound() || !strings.Contains(failed.Reason(), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
