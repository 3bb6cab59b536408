import time
def test_it(house):
    s=house.set("a")
    a=house.admit("alpha.example.com",sets=[s])
    t=time.perf_counter()
    for _ in range(10):
        r=a.get("/v1/status"); assert r.status_code==200, r.text
        house.settle()
    print("settle", (time.perf_counter()-t)/10)
    print(r.json)
def test_two(house):
    pass
def test_three(house):
    pass
