// Command nethttp makes one call with the standard library alone.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func main() {
	res, err := http.Get("http://localhost/users/a-user")
	if err != nil {
		panic(err)
	}
	var user struct{ Email string }
	if err := json.NewDecoder(res.Body).Decode(&user); err != nil {
		panic(err)
	}
	fmt.Println(user.Email)
}
