/* cpp: a guard around an operation, for functions that throw and return early (C++17).
 *
 *     cpp [AMOUNT...]
 *
 * Adds amounts up. One that is no number fails its step; a sum above the limit leaves the operation in its middle, between two
 * steps, and the guard's destructor reports it as incomplete. */
#include <step_logger.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

class Operation
{
  public:
    Operation(const char *name, int total_steps) : op_(step_logger_new(name, total_steps)) {}
    ~Operation() { step_logger_free(op_); } /* says INCOMPLETE unless it completed or failed */
    Operation(const Operation &) = delete;
    Operation &operator=(const Operation &) = delete;

    /* It goes wherever a step_logger_t * does: into every call of the library. */
    operator step_logger_t *() const { return op_; }

    /* A step: `work` reports its success, and fails by throwing. */
    template <typename Work> void step(int number, const char *description, Work work) const
    {
        step_logger_step(op_, number, description);
        try {
            work();
        } catch (const std::exception &error) {
            step_logger_failure(op_, error.what());
            throw;
        }
    }

  private:
    step_logger_t *op_;
};

namespace
{

enum class Currency { eur = 978, usd = 840 };

double parse_amount(const std::string &text)
{
    std::size_t used = 0;
    double amount = 0;
    try {
        amount = std::stod(text, &used);
    } catch (const std::logic_error &) { /* used is 0 still */
    }
    if (used == 0 || used != text.size())
        throw std::invalid_argument("not an amount: " + text);
    return amount;
}

double price_order(std::string_view customer, const std::vector<std::string> &amounts)
{
    constexpr double limit = 1000.0;
    constexpr Currency currency = Currency::eur;
    double sum = 0;

    Operation op("Price Order", 2);
    step_logger_start(op, step_strn("customer", customer.data(), customer.size()), step_kv("items", amounts.size()));

    op.step(1, "Adding amounts", [&] {
        for (const std::string &text : amounts)
            sum += parse_amount(text);
        step_logger_success(op, step_fixed("sum", sum, 2), step_kv("currency", currency));
    });

    if (sum > limit)
        throw std::runtime_error("the order is above the limit");

    op.step(2, "Applying discount", [&] {
        const bool is_large = sum >= 100;
        sum = is_large ? sum * 0.95 : sum;
        step_logger_success(op, step_kv("discounted", is_large), step_percent("discount", is_large ? 5.0 : 0.0));
    });

    step_logger_complete(op, step_fixed("total", sum, 2));
    return sum;
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<std::string> amounts(argv + 1, argv + argc);
    if (amounts.empty())
        amounts = { "79.90", "120", "4.95" };
    try {
        price_order("Ada Lovelace", amounts);
    } catch (const std::exception &error) {
        step_error("Order not priced", step_kv("error", error.what()));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
