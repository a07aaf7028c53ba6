// cml::api as one life of the daemon has it: the world, at the end of a wire that takes time and
// fails. A request that is on its way goes on when the daemon is killed.
#pragma once

#include "cml/api.hpp"
#include "simulation/checker.hpp"
#include "simulation/kernel.hpp"
#include "simulation/weather.hpp"
#include "simulation/world.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cmlrec::simulation {

class wire final : public cml::api {
 public:
  wire(kernel& in, life& of, world& cml, weather& faults, checker& rules, core::clock& clock)
      : in_(in), of_(of), cml_(cml), faults_(faults), rules_(rules), clock_(clock) {}

  cml::async_result<std::vector<cml::project>> list_projects(std::string name,
                                                             core::instant deadline) override;
  cml::async_result<cml::project> get_project(std::string project_id,
                                              core::instant deadline) override;
  cml::async_result<cml::project> create_project(cml::project_write body,
                                                 core::instant deadline) override;
  cml::async_result<cml::project> update_project(std::string project_id, cml::project_write body,
                                                 core::instant deadline) override;
  cml::async_result<std::vector<cml::job>> list_jobs(std::string project_id,
                                                     core::instant deadline) override;
  cml::async_result<cml::job> create_job(std::string project_id, cml::job_write body,
                                         core::instant deadline) override;
  cml::async_result<cml::job> update_job(std::string project_id, std::string job_id,
                                         cml::job_write body, core::instant deadline) override;
  cml::async_result<bool> delete_job(std::string project_id, std::string job_id,
                                     core::instant deadline) override;
  cml::async_result<cml::runs_page> list_runs(std::string project_id, std::string job_id, int most,
                                              core::instant deadline) override;
  cml::async_result<cml::run> get_run(std::string project_id, std::string job_id,
                                      std::string run_id, core::instant deadline) override;
  cml::async_result<cml::run> start_run(std::string project_id, std::string job_id,
                                        cml::run_request body, core::instant deadline) override;
  cml::async_result<cml::run> stop_run(std::string project_id, std::string job_id,
                                       std::string run_id, core::instant deadline) override;
  cml::async_result<cml::key_check> validate_key(core::instant deadline) override;
  core::timestamp server_time() const override;

 private:
  struct way {
    const char* operation;
    bool write = false;
    bool list = false;
    int page = 0;
    std::string once = {};  // names what a POST makes
  };
  template <class T>
  cml::async_result<T> call(way w, std::function<core::result<T>()> serve, core::instant deadline,
                            fault* met = nullptr);
  template <class T>
  cml::async_result<cml::page<T>> page(
      const char* operation, std::string token,
      std::function<core::result<cml::page<T>>(const std::string&)> serve, core::instant deadline,
      int& number);

  kernel& in_;
  life& of_;
  world& cml_;
  weather& faults_;
  checker& rules_;
  core::clock& clock_;
  std::optional<core::timestamp> server_date_;
  core::instant server_date_at_{};
};

}  // namespace cmlrec::simulation
