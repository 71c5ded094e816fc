package basiq_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/basiq-sdk/basiq-go"
	"github.com/basiq-sdk/basiq-go/basiqtest"
	"github.com/basiq-sdk/basiq-go/generated/core"
)

// shop is a web application that shows customers what they have spent.
type shop struct {
	basiq *basiq.Client
	users sync.Map // Basiq user IDs by session; use a database
}

// connect sends a customer to the Consent UI.
func (s *shop) connect(w http.ResponseWriter, r *http.Request) {
	user, err := s.basiq.Core.Users.Create(r.Context(), core.CreateUserParams{Email: "max@example.com"})
	if err != nil {
		http.Error(w, "try again later", http.StatusBadGateway)
		return
	}
	state := basiq.NewState()
	s.users.Store(state, user.ID)
	link, err := s.basiq.ConsentLink(r.Context(), user.ID, basiq.ConsentOptions{State: state})
	if err != nil {
		http.Error(w, "try again later", http.StatusBadGateway)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: state, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	link.Redirect(w, r)
}

// back handles the return from the Consent UI, and shows what was spent.
func (s *shop) back(w http.ResponseWriter, r *http.Request) {
	session, err := r.Cookie("session")
	if err != nil {
		http.Error(w, "please start again", http.StatusBadRequest)
		return
	}
	returned, err := basiq.ParseConsentReturn(r.URL, session.Value)
	if err != nil {
		http.Error(w, "please start again", http.StatusBadRequest)
		return
	}
	user, _ := s.users.LoadAndDelete(session.Value)
	userID, _ := user.(string)
	if _, err = s.basiq.WaitForJobs(r.Context(), returned.JobIDs, basiq.WaitOptions{UserID: userID, Interval: time.Millisecond}); err != nil {
		log.Print(err)
		http.Error(w, "your bank is not connected yet", http.StatusBadGateway)
		return
	}
	count := 0
	for _, err := range s.basiq.Transactions(r.Context(), userID, basiq.TransactionWindow{From: "2031-04-01", PostedOnly: true}) {
		if err != nil {
			http.Error(w, "try again later", http.StatusBadGateway)
			return
		}
		count++
	}
	fmt.Fprintf(w, "welcome back: there are transactions since April: %t", count > 0)
}

// A complete web application that sends its customers to the Consent UI and
// handles their return.
func Example_webApplication() {
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(http.NewCrossOriginProtection().Handler(mux)) // other sites cannot post in a customer's name
	defer app.Close()
	srv, err := basiqtest.Start(basiqtest.WithRedirectURL(app.URL+"/back"), basiqtest.WithNow(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := basiq.NewClient(srv.Options()...)
	if err != nil {
		log.Fatal(err)
	}
	s := &shop{basiq: client}
	mux.HandleFunc("POST /connect", s.connect)
	mux.HandleFunc("GET /back", s.back)

	// Simulate the customer's browser.
	jar, _ := cookiejar.New(nil)
	browser := app.Client()
	browser.Jar, browser.CheckRedirect = jar, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := browser.Post(app.URL+"/connect", "", nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := srv.VisitConsentLink(res.Header.Get("Location"), basiqtest.Gilfoyle, basiqtest.Jared)
	if err != nil {
		log.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, back, nil)
	if err != nil {
		log.Fatal(err)
	}
	if res, err = browser.Do(req); err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	text := make([]byte, 200)
	n, _ := res.Body.Read(text)
	fmt.Println(res.StatusCode, string(text[:n]))
	// Output:
	// 200 welcome back: there are transactions since April: true
}
